"""Two samples compared: by how much they differ, how sure that is, and what could not have been seen.

The shift is that of Hodges and Lehmann, the median of all differences between the two; its interval
inverts the Mann-Whitney test (Hollander, Wolfe and Chicken, Nonparametric Statistical Methods, 4.2), so
it needs no normal distribution and never a random number: the same samples give the same answer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Z95 = 1.959964
Z80 = 0.841621  # power of 80 %
FEWEST = 4  # of each; below, no 95 % interval exists
MOST = 2000  # of each; more are thinned evenly, because the differences of all pairs are looked at


@dataclass(frozen=True, slots=True)
class Comparison:
    """`base` and `head` are medians, `difference` is the shift from base to head, in the samples' unit.

    `low` and `high` bound the shift at 95 %; `ratio` is head by base.  `delta` is Cliff's, -1 to 1: how much
    more often a value of head is the greater one.  `smallest` is the shift that would have been found in
    four of five times.  What can't be said is None, and `verdict` is then `not enough data`.
    """

    n_base: int
    n_head: int
    base: float | None = None
    head: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    ratio: float | None = None
    p: float | None = None
    delta: float | None = None
    smallest: float | None = None
    verdict: str = "not enough data"


def compare(
    base: Sequence[float], head: Sequence[float], *, same_within: float = 0.05, floor: float = 0.0
) -> Comparison:
    """Compare two samples of which less is better.

    Args:
        same_within: share of the base's median that makes no difference to anybody.
        floor: the same as an absolute number; the greater of the two counts.

    Returns:
        a verdict of `faster` or `slower` where the interval leaves zero out, `same` where it lies within
        what makes no difference, and `not enough data` otherwise.
    """
    x, y = _sample(base), _sample(head)
    if len(x) == 0 or len(y) == 0:
        return Comparison(len(base), len(head))
    medians = float(np.median(x)), float(np.median(y))
    ratio = medians[1] / medians[0] if medians[0] > 0 else None
    shifts = np.sort(np.subtract.outer(y, x), axis=None)
    shift = float(np.median(shifts))
    if min(len(x), len(y)) < FEWEST:
        return Comparison(len(base), len(head), *medians, difference=shift, ratio=ratio)
    low, high = _interval(shifts, len(x), len(y))
    test = _stats().mannwhitneyu(y, x, alternative="two-sided", method="auto")
    tolerance = max(same_within * medians[0], floor)
    return Comparison(
        n_base=len(base),
        n_head=len(head),
        base=medians[0],
        head=medians[1],
        difference=shift,
        low=low,
        high=high,
        ratio=ratio,
        p=float(test.pvalue),
        delta=float(2 * test.statistic / (len(x) * len(y)) - 1),
        smallest=(Z95 + Z80) * (high - low) / (2 * Z95),
        verdict=_verdict(low, high, tolerance),
    )


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Return the p-values adjusted for being looked at together (false discovery rate), in their order."""
    if not p_values:
        return []
    return [float(value) for value in _stats().false_discovery_control(np.asarray(p_values), method="bh")]


def _stats() -> Any:
    """Loading SciPy's statistics takes longer than the whole server's start, so it is loaded when needed."""
    from scipy import stats

    return stats


def _sample(values: Sequence[float]) -> np.ndarray:
    found = np.sort(np.asarray(values, dtype=float))
    if len(found) <= MOST:
        return found
    return found[np.linspace(0, len(found) - 1, MOST).round().astype(int)]


def _interval(shifts: np.ndarray, n: int, m: int) -> tuple[float, float]:
    pairs = n * m
    # Equal values tie; the spread of the rank sum is then a little smaller, and this errs to the safe side.
    spread = Z95 * math.sqrt(pairs * (n + m + 1) / 12)
    left = max(math.floor(pairs / 2 - spread), 0)
    return float(shifts[left]), float(shifts[pairs - 1 - left])


def _verdict(low: float, high: float, tolerance: float) -> str:
    if -tolerance <= low and high <= tolerance:
        return "same"
    if low > 0:
        return "slower"
    return "faster" if high < 0 else "not enough data"
