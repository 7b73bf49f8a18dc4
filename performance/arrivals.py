"""When each request of an open loop is meant to be sent.  Pure; the same seed gives the same times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from performance.specified import Arrival, LoadSpec

CHUNK = 8192


@dataclass(frozen=True, slots=True)
class Stage:
    """A time in which the rate goes evenly from one to another; seconds since the load's start, 1/s."""

    begin: float
    end: float
    rate_from: float
    rate_to: float
    is_warmup: bool = False

    @property
    def planned(self) -> float:
        """Requests meant to be sent in it."""
        return (self.end - self.begin) * (self.rate_from + self.rate_to) / 2


def stages(spec: LoadSpec) -> list[Stage]:
    """Return the stages of an open load in order, the warm-up first; none where the loop is closed."""
    if spec.arrival is None:
        return []
    arrival, begin = spec.arrival, spec.warmup
    end = begin + planned_duration(spec)
    warm = _warm_rate(arrival)
    before = [Stage(0.0, begin, warm, warm, is_warmup=True)] if begin > 0 else []
    if arrival.kind == "ramp":
        return [*before, Stage(begin, end, arrival.rate, arrival.to_rate)]
    if arrival.kind == "steps":
        return [*before, *_steps(arrival, begin, end)]
    if arrival.kind == "spikes":
        return [*before, *_spikes(arrival, begin, end)]
    return [*before, Stage(begin, end, arrival.rate, arrival.rate)]


def planned_duration(spec: LoadSpec) -> float:
    """Measured seconds; where only a number of requests is told, what it takes at the arrival's rate."""
    if spec.duration or spec.arrival is None or not spec.max_requests:
        return spec.duration
    arrival = spec.arrival
    mean = {
        "ramp": (arrival.rate + arrival.to_rate) / 2,
        "spikes": arrival.rate
        + (arrival.spike_rate - arrival.rate) * arrival.spike_duration / (arrival.spike_every or 1),
    }.get(arrival.kind, arrival.rate)
    # Poisson arrivals need more time now and then; max_requests ends them.
    return 1.2 * spec.max_requests / mean + 1 if arrival.spacing == "poisson" else spec.max_requests / mean


def in_chunks(spec: LoadSpec, seed: int, *, size: int = CHUNK) -> Iterator[np.ndarray]:
    """Yield the intended times in pieces of up to `size`, so that a long load needs no more memory.

    A rate λ(t) is followed by turning its integral around: the k-th request is due when Λ(t) = k (even),
    or when Λ(t) is the sum of k exponential gaps (Poisson).

    Source: E. Çinlar, "Introduction to Stochastic Processes", Prentice-Hall 1975, chapter 4.7.
    """
    plan = stages(spec)
    if not plan:
        return
    ends = np.cumsum([stage.planned for stage in plan])
    is_poisson = spec.arrival is not None and spec.arrival.spacing == "poisson"
    draw = np.random.default_rng([abs(seed), 1])
    done, left, level = 0, spec.max_requests, 0.0
    while True:
        if is_poisson:
            levels = level + np.cumsum(draw.exponential(size=size))
            level = float(levels[-1])
        else:
            levels = np.arange(done, done + size, dtype=float)
        done += size
        times = _times_at(levels[levels < ends[-1] - 1e-9], plan, ends)
        is_last = len(times) < size
        if left is not None:
            warm = int(np.searchsorted(times, spec.warmup, side="left"))
            times = times[: warm + left]
            left -= len(times) - warm
            is_last |= left <= 0
        if len(times):
            yield times
        if is_last:
            return


def request_numbers(spec: LoadSpec, seed: int) -> Iterator[np.ndarray]:
    """Yield without end which request each one is: drawn by weight; numbers in `spec.requests`."""
    weights = np.array([request.weight for request in spec.requests])
    draw = np.random.default_rng([abs(seed), 2])
    edges = np.cumsum(weights / weights.sum())
    while True:
        yield np.minimum(np.searchsorted(edges, draw.random(CHUNK), side="right"), len(edges) - 1)


def _times_at(levels: np.ndarray, plan: list[Stage], ends: np.ndarray) -> np.ndarray:
    which = np.searchsorted(ends, levels, side="right")
    begins = np.array([stage.begin for stage in plan])[which]
    lengths = np.array([stage.end - stage.begin for stage in plan])[which]
    low = np.array([stage.rate_from for stage in plan])[which]
    high = np.array([stage.rate_to for stage in plan])[which]
    inside = levels - np.concatenate([[0.0], ends])[which]
    slope = (high - low) / np.where(lengths > 0, lengths, 1)
    root = np.sqrt(np.maximum(low**2 + 2 * slope * inside, 0))
    below = np.where(low + root > 0, low + root, 1)
    return begins + 2 * inside / below


def _warm_rate(arrival: Arrival) -> float:
    """A load that begins at zero is warmed up at a tenth of its end."""
    return arrival.first_rate or arrival.to_rate / 10


def _steps(arrival: Arrival, begin: float, end: float) -> list[Stage]:
    long = arrival.step_duration or (end - begin) / len(arrival.rates)
    return [
        Stage(begin + number * long, begin + (number + 1) * long, rate, rate)
        for number, rate in enumerate(arrival.rates)
    ]


def _spikes(arrival: Arrival, begin: float, end: float) -> list[Stage]:
    """The quiet comes first, so that there is something to hold the spike against."""
    made, at = [], begin
    while at < end:
        spike = min(at + arrival.spike_every - arrival.spike_duration, end)
        made.append(Stage(at, spike, arrival.rate, arrival.rate))
        if spike < end:
            made.append(
                Stage(spike, min(at + arrival.spike_every, end), arrival.spike_rate, arrival.spike_rate)
            )
        at += arrival.spike_every
    return made
