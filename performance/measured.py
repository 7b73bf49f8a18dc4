"""What a run measured, in the form that the rules about bottlenecks read.  Arrays in, arrays out.

Seconds everywhere; times count from the start of the load.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from performance.samples import Samples
from performance.sources.base import Series

TOTAL = "total"  # the Server-Timing entry for all that the target did itself
REST = "rest of the target"  # what it did in no part that it named
MOST_SAMPLES = 1_000_000  # looked at; of more a random part, which tells the same and keeps memory flat
MOST_WINDOWS, FEWEST_IN_WINDOW = 24, 15


@dataclass(frozen=True)
class Usual:
    """What earlier runs of the same load took: mean seconds by component, and of the whole answer."""

    runs: int = 0
    components: Mapping[str, float] = field(default_factory=dict)
    latency: float = 0.0


@dataclass(frozen=True)
class Level:
    """A span of equal load; `rows` are the samples whose intended time lies in it."""

    start: float
    end: float
    rows: np.ndarray

    @property
    def seconds(self) -> float:
        return self.end - self.start

    def cut(self, intended: np.ndarray, pieces: int) -> Iterator[Level]:
        """Cut it into equal spans of time; those without samples are left out."""
        edges = np.linspace(self.start, self.end, pieces + 1)
        places = np.searchsorted(intended[self.rows], edges)
        for number, (low, high) in enumerate(pairwise(places)):
            if high > low:
                yield Level(float(edges[number]), float(edges[number + 1]), self.rows[low:high])


@dataclass(frozen=True)
class Measured:
    """Samples (n,) without warm-up, in the order of their intended times.

    `parts` are the seconds (n,) of each component, 0 where an answer did not tell it.  `spans` are the
    levels of load as (start, end).  `is_closed`: users wait for their answers, so arrivals follow the target.
    `each`: for how many requests a sample stands, where not all were looked at.
    """

    requests: tuple[str, ...]
    intended: np.ndarray
    latency: np.ndarray
    request: np.ndarray
    status: np.ndarray
    error: np.ndarray
    unanswered: np.ndarray
    parts: Mapping[str, np.ndarray] = field(default_factory=dict)
    spans: tuple[tuple[float, float], ...] = ()
    series: tuple[Series, ...] = ()
    usual: Usual = Usual()
    generator_limit: str = ""
    is_closed: bool = False
    each: float = 1.0

    @property
    def n(self) -> int:
        return len(self.intended)

    @cached_property
    def levels(self) -> list[Level]:
        """The levels that have samples, from the least load to the most."""
        spans = self.spans or ((float(self.intended[0]), float(self.intended[-1]) + 1e-6),)
        edges = [(start, end, *np.searchsorted(self.intended, (start, end))) for start, end in spans]
        found = [Level(start, end, np.arange(low, high)) for start, end, low, high in edges if high > low]
        return sorted(found, key=lambda level: (len(level.rows) / level.seconds, level.start))

    @property
    def top(self) -> Level:
        """The level of most load."""
        return self.levels[-1]

    @property
    def lowest(self) -> Level:
        return self.levels[0]

    @cached_property
    def components(self) -> dict[str, np.ndarray]:
        """The parts that the target named, and the rest of what it did where it told the total."""
        named = {name: times for name, times in self.parts.items() if name != TOTAL}
        if TOTAL in self.parts and named:
            named[REST] = np.maximum(self.parts[TOTAL] - sum(named.values()), 0)
        return named

    @cached_property
    def told(self) -> np.ndarray:
        """Which answers (n,) said what the target took for them."""
        return (
            np.any([times > 0 for times in self.parts.values()], axis=0)
            if self.parts
            else np.zeros(self.n, bool)
        )

    @cached_property
    def server(self) -> np.ndarray | None:
        """Seconds (n,) that the target worked on each request; None where too few answers tell."""
        if not self.n or self.told.mean() < 0.5:
            return None
        if TOTAL in self.parts:
            return np.minimum(self.parts[TOTAL], self.latency)
        return np.minimum(sum(self.parts.values()), self.latency)

    def offered(self, level: Level) -> float:
        """Requests per second that were meant to be sent."""
        return self.each * len(level.rows) / level.seconds

    def completed(self, level: Level) -> float:
        """Answers per second that came within the level."""
        ends = self.intended + self.latency
        inside = (ends >= level.start) & (ends < level.end) & ~self.unanswered
        return self.each * float(inside.sum()) / level.seconds

    def in_flight(self, level: Level) -> float:
        """Requests on their way at a time, on average (Little's law: rate × time in the system)."""
        starts = np.clip(self.intended, level.start, level.end)
        ends = np.clip(self.intended + self.latency, level.start, level.end)
        return self.each * float((ends - starts).sum()) / level.seconds

    def falls_behind(self, level: Level) -> bool:
        """Whether the target answered clearly fewer than were sent, so that a backlog grew.

        That is more left at the end than what is always on its way (Little's law) and than chance makes.
        """
        sent = len(level.rows)
        latency = self.latency[level.rows]
        left = int((self.intended[level.rows] + latency >= level.end).sum())
        at_first = 2 * float(latency[: max(sent // 3, 1)].mean())
        unloaded = 3 * float(np.median(self.latency[self.lowest.rows]))
        return left > max(0.1 * sent, sent / level.seconds * min(at_first, unloaded), 1.5 * np.sqrt(sent))

    def windows(self, level: Level) -> Iterator[np.ndarray]:
        """Cut a level into up to 24 equal spans of time with 15 samples each on average; yield their rows."""
        pieces = min(MOST_WINDOWS, len(level.rows) // FEWEST_IN_WINDOW)
        if pieces:
            yield from (piece.rows for piece in level.cut(self.intended, pieces))


def measured_of(
    samples: Samples,
    *,
    spec: Mapping[str, Any],
    series: tuple[Series, ...] = (),
    usual: Usual = Usual(),
    generator_limit: str = "",
) -> Measured:
    """Return what the rules read; the times of `series` count from the start of the load."""
    keep = np.flatnonzero(samples.measured)
    each = max(len(keep) / MOST_SAMPLES, 1.0)
    if each > 1:
        keep = np.random.default_rng(0).choice(keep, MOST_SAMPLES, replace=False)
    keep = keep[np.argsort(samples.rows["intended"][keep], kind="stable")]
    rows = np.asarray(samples.rows)[keep]
    place = np.full(len(samples.rows), -1)
    place[keep] = np.arange(len(keep))
    parts = {name: np.zeros(len(keep)) for name in samples.components}
    at = place[samples.parts["sample"]]
    for number, name in enumerate(samples.components):
        mine = (samples.parts["component"] == number) & (at >= 0)
        np.add.at(parts[name], at[mine], samples.parts["duration"][mine])
    duration = float(spec.get("duration") or 0) or (float(rows["intended"][-1]) if len(rows) else 0.0)
    return Measured(
        requests=tuple(samples.requests),
        intended=rows["intended"].astype(float),
        latency=rows["latency"].astype(float),
        request=rows["request"].astype(int),
        status=rows["status"].astype(int),
        error=samples.failed[keep],
        unanswered=rows["status"] == 0,
        parts=parts,
        spans=spans_of(spec.get("arrival"), warmup=float(spec.get("warmup") or 0), duration=duration),
        series=series,
        usual=usual,
        generator_limit=generator_limit,
        is_closed=not spec.get("arrival"),
        each=each,
    )


def spans_of(arrival: Mapping | None, *, warmup: float, duration: float) -> tuple[tuple[float, float], ...]:
    """Return the levels of a load as (start, end): its steps, a ramp in six pieces, else one.

    Args:
        arrival: as in a workload's specification; None for users who wait for their answers.
        warmup: seconds before the measured time.
        duration: seconds of measured time.
    """
    kind = (arrival or {}).get("kind", "")
    if arrival and kind == "steps":
        seconds = float(arrival["step_duration"])
        starts = [warmup + seconds * number for number in range(len(arrival["rates"]))]
        return tuple(
            (start, min(start + seconds, warmup + duration)) for start in starts if start < warmup + duration
        )
    if kind == "ramp":
        edges = np.linspace(warmup, warmup + duration, 7)
        return tuple((float(low), float(high)) for low, high in pairwise(edges))
    return ((warmup, warmup + duration),)
