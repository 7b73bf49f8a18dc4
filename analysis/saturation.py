"""Which resource ran out while latency rose: a ranking with its evidence, and no accusation without it.

A resource is accused if it was nearly used up in the slow stretches and not in the calm ones, rose and fell
with latency (rank correlation, allowing it to lead by a few windows), and if no shift of its series against
latency's fits as well: two series that wander on their own agree somewhere by chance, seldom just in place.
Latency that did not rise accuses nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

FEWEST = 12  # windows
FULL = 0.85  # of a resource's capacity
RISE = 1.5  # times: slow stretches against calm ones
LEAD = 2  # windows by which a resource may run ahead of latency
MOSTLY = 0.6  # share of the slow windows in which it must have been full
MORE = 0.4  # by how much that share must exceed the share in the calm windows
CLOSE, CLOSE_AMOUNT = 0.55, 0.7  # rank correlation
CHANCE = 0.05  # of the shifts that may fit as well, all resources together


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks against one resource; shares are 0 to 1.

    `slow` and `calm` are its medians in the slow and the calm windows, `full_when_slow` and `full_when_calm`
    the shares of those windows in which it was used up (None for an amount without a capacity).
    `correlation` is Spearman's at `lead` windows ahead, `p` how often a shifted series fits as well.
    `reason` tells in words what accuses it or lets it go.
    """

    name: str
    accused: bool
    score: float
    slow: float
    calm: float
    full_when_slow: float | None
    full_when_calm: float | None
    correlation: float
    lead: int
    p: float
    reason: str


@dataclass(frozen=True, slots=True)
class Search:
    """`rise` is how many times slow windows are slower than calm ones (None: too few windows to say).

    `resources` come with the strongest evidence first; `said` is one sentence.
    """

    rise: float | None
    resources: tuple[Evidence, ...]
    said: str

    @property
    def accused(self) -> list[Evidence]:
        return [one for one in self.resources if one.accused]


def find_saturated(
    latency: Sequence[float],
    utilizations: Mapping[str, Sequence[float]],
    amounts: Mapping[str, Sequence[float]] | None = None,
    *,
    full: float = FULL,
) -> Search:
    """Rank resources by how far they explain that latency rose.

    Args:
        latency: one figure per window of time, in order; include a stretch of low load to have calm ones.
            NaN where nothing was answered: that window is left out.
        utilizations: series of 0 to 1, one value per window; NaN where nothing was measured.
        amounts: series without a capacity, such as the length of a queue; these must at least double.
        full: the utilization that counts as used up.

    Raises:
        ValueError: a series is not as long as latency.
    """
    times = np.asarray(latency, dtype=float)
    series = {name: np.asarray(values, dtype=float) for name, values in utilizations.items()}
    counts = {name: np.asarray(values, dtype=float) for name, values in (amounts or {}).items()}
    for name, values in [*series.items(), *counts.items()]:
        if len(values) != len(times):
            raise ValueError(f"{name} has {len(values)} values for {len(times)} windows: align them first")
    known = np.isfinite(times)
    if known.sum() < FEWEST:
        return Search(None, (), f"too few windows to tell: {int(known.sum())} of at least {FEWEST}")
    slow, calm = _stretches(times)
    rise = _ratio(float(np.median(times[slow])), float(np.median(times[calm])))
    rose = rise >= RISE
    limit = CHANCE / max(len(series) + len(counts), 1)
    found = [_look_at(name, values, times, (slow, calm), full) for name, values in series.items()]
    found += [_look_at(name, values, times, (slow, calm), None) for name, values in counts.items()]
    judged = [_judge(one, rose, limit, full, len(times)) for one in found if one is not None]
    judged.sort(key=lambda one: (not one.accused, -one.score, one.name))
    return Search(rise, tuple(judged), _said(judged, rose, rise))


def _stretches(times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The upper and the lower third of the way from fast to slow; what lies between says little."""
    low, high = np.nanquantile(times, [0.1, 0.9])
    if low > 0:
        return times >= low * (high / low) ** (2 / 3), times <= low * (high / low) ** (1 / 3)
    return times >= low + (high - low) * 2 / 3, times <= low + (high - low) / 3


def _look_at(
    name: str,
    values: np.ndarray,
    times: np.ndarray,
    stretches: tuple[np.ndarray, np.ndarray],
    full: float | None,
) -> Evidence | None:
    known = np.isfinite(values)
    slow, calm = stretches[0] & known, stretches[1] & known
    if known.sum() < FEWEST or not slow.any() or not calm.any():
        return None
    correlation, lead, p = _in_place(_filled(values), _filled(times))
    shares = [float((values[part] >= full).mean()) if full is not None else None for part in (slow, calm)]
    level = float(np.median(values[slow]))
    gain = (shares[0] or 0) - (shares[1] or 0) if full is not None else 0.0
    score = max(correlation, 0) * (min(level, 1) if full is not None else 0.5) + gain
    base = float(np.median(values[calm]))
    return Evidence(name, False, float(score), level, base, shares[0], shares[1], correlation, lead, p, "")


def _judge(one: Evidence, rose: bool, limit: float, full: float, windows: int) -> Evidence:
    if not rose:
        return _with(one, False, "latency did not rise")
    if one.full_when_slow is None or one.full_when_calm is None:
        enough, close = one.slow >= 2 * one.calm and one.slow > 0, CLOSE_AMOUNT
        level = f"{one.calm:.3g} in calm, {one.slow:.3g} in slow windows"
    else:
        enough = one.full_when_slow >= MOSTLY and one.full_when_slow - one.full_when_calm >= MORE
        close = CLOSE
        level = f"used up in {one.full_when_slow:.0%} of slow, {one.full_when_calm:.0%} of calm windows"
        if one.full_when_calm >= MOSTLY:
            return _with(one, False, f"at {full:.0%} or more in calm windows too")
    if not enough:
        return _with(one, False, level)
    if one.correlation < close:
        return _with(one, False, f"{level}, but it does not move with latency")
    # With few windows there are few shifts; a fit that none of them reaches is then all there can be.
    if one.p > max(limit, 1 / (1 + _others(windows))):
        return _with(one, False, f"{level}, but shifted in time it fits as well")
    return _with(one, True, level)


def _with(one: Evidence, accused: bool, reason: str) -> Evidence:
    values = {name: getattr(one, name) for name in one.__slots__}
    return Evidence(**{**values, "accused": accused, "reason": reason})


def _in_place(values: np.ndarray, times: np.ndarray) -> tuple[float, int, float]:
    """Return the best rank correlation at a lead of 0 to LEAD, that lead, and the share of shifts as good."""
    n = len(times)
    x, y = _ranks(values), _ranks(times)
    if not x.any() or not y.any():
        return 0.0, 0, 1.0
    # All circular shifts at once: the correlation of x moved on by k with y.
    every = np.fft.irfft(np.conj(np.fft.rfft(x)) * np.fft.rfft(y), n) / np.sqrt((x**2).sum() * (y**2).sum())
    lead = int(np.argmax(every[: LEAD + 1]))
    best = float(every[lead])
    others = every[LEAD + 1 + n // 10 :][: _others(n)]  # neighbors of the true place fit nearly as well
    p = (1 + int((others >= best - 1e-9).sum())) / (1 + len(others)) if len(others) else 1.0
    return best, lead, p


def _others(windows: int) -> int:
    return windows - LEAD - 1 - 2 * (windows // 10)


def _filled(values: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    places = np.arange(len(values))
    return values if known.all() else np.interp(places, places[known], values[known])


def _ranks(values: np.ndarray) -> np.ndarray:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return ranks - ranks.mean()


def _ratio(high: float, low: float) -> float:
    return high / low if low > 0 else (float("inf") if high > 0 else 1.0)


def _said(judged: Sequence[Evidence], rose: bool, rise: float) -> str:
    if not rose:
        return "Nothing found: latency did not rise."
    accused = [one.name for one in judged if one.accused]
    if not accused:
        return f"Nothing found: latency rose {rise:.2g} times, and no resource that was measured ran out."
    return f"While latency rose {rise:.2g} times, {', '.join(accused)} ran out."
