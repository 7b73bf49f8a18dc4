"""Two samples compared: by how much they differ, how sure that is, and what could not have been seen.

The shift is that of Hodges and Lehmann, the median of all differences between the two; its interval
inverts the Mann-Whitney test (Hollander, Wolfe and Chicken, Nonparametric Statistical Methods, 4.2), so
it needs no normal distribution and never a random number: the same samples give the same answer.
Values that belong together in pairs are compared by the Wilcoxon test in the same way (there, 3.2).
What is zero for most and large for few has a median that says nothing; there the means are compared, by
resampling with a seed that is given.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

Z95 = 1.959964
Z80 = 0.841621  # power of 80 %
FEWEST = 4  # of each; below, no 95 % interval exists
MOST = 2000  # of each; more are thinned evenly, because the differences of all pairs are looked at
FEWEST_PAIRS = 6
RESAMPLES = 2000
PIECE = 250  # resamples drawn at once, so that memory stays flat


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
    known = _known(x, y, len(base), len(head), np.median)
    shifts = np.subtract.outer(y, x).ravel()
    if min(len(x), len(y)) < FEWEST:
        return replace(known, difference=float(np.median(shifts)))
    pairs = len(x) * len(y)
    # Equal values tie; the spread of the rank sum is then a little smaller, and this errs to the safe side.
    spread = Z95 * math.sqrt(pairs * (len(x) + len(y) + 1) / 12)
    test = _stats().mannwhitneyu(y, x, alternative="two-sided", method="auto")
    low, shift, high = _around_the_middle(shifts, pairs / 2 - spread)
    delta = float(2 * test.statistic / pairs - 1)
    limit = max(same_within * float(np.median(x)), floor)
    return _judged(replace(known, difference=shift, p=float(test.pvalue), delta=delta), low, high, limit)


def compare_pairs(
    base: Sequence[float], head: Sequence[float], *, same_within: float = 0.05, floor: float = 0.0
) -> Comparison:
    """Compare values that belong together one by one, as `compare` does two samples.

    The shift is the median of the means of all pairs of differences; its interval inverts the Wilcoxon
    signed rank test.

    Raises:
        ValueError: the two are not of one length.
    """
    x, y = np.asarray(base, dtype=float), np.asarray(head, dtype=float)
    if len(x) == 0 and len(y) == 0:
        return Comparison(0, 0)
    shifts = _sample(list(y - x))
    known = _known(x, y, len(x), len(y), np.median)
    n = len(shifts)
    walsh = np.add.outer(shifts, shifts)[np.triu_indices(n)] / 2
    if n < FEWEST_PAIRS:
        return replace(known, difference=float(np.median(walsh)))
    spread = Z95 * math.sqrt(n * (n + 1) * (2 * n + 1) / 24)
    low, shift, high = _around_the_middle(walsh, len(walsh) / 2 - spread)
    p = float(_stats().wilcoxon(y, x).pvalue) if np.any(y != x) else 1.0
    limit = max(same_within * float(np.median(x)), floor)
    return _judged(replace(known, difference=shift, p=p), low, high, limit)


def compare_means(
    base: Sequence[float],
    head: Sequence[float],
    *,
    seed: int,
    same_within: float = 0.05,
    floor: float = 0.0,
) -> Comparison:
    """Compare two samples by their means: `base`, `head` and `difference` are of means, not of medians.

    The interval is the bootstrap's (percentiles of `RESAMPLES`), the p-value that of a permutation test;
    the same samples with the same seed give the same answer.
    """
    x, y = _sample(base), _sample(head)
    if len(x) == 0 or len(y) == 0:
        return Comparison(len(base), len(head))
    known = _known(x, y, len(base), len(head), np.mean)
    shift = float(y.mean() - x.mean())
    if min(len(x), len(y)) < FEWEST:
        return replace(known, difference=shift)
    chance, both = np.random.default_rng(seed), np.concatenate([x, y])
    drawn, mixed = [], []
    for _ in range(RESAMPLES // PIECE):
        means = [one[chance.integers(0, len(one), (PIECE, len(one)))].mean(axis=1) for one in (x, y)]
        drawn.append(means[1] - means[0])
        order = chance.permuted(np.broadcast_to(both, (PIECE, len(both))), axis=1)
        mixed.append(order[:, len(x) :].mean(axis=1) - order[:, : len(x)].mean(axis=1))
    low, high = (float(value) for value in np.quantile(np.concatenate(drawn), [0.025, 0.975]))
    as_far = np.abs(np.concatenate(mixed)) >= abs(shift) - 1e-12
    p = float((as_far.sum() + 1) / (len(as_far) + 1))
    limit = max(same_within * float(x.mean()), floor)
    return _judged(replace(known, difference=shift, p=p), min(low, shift), max(high, shift), limit)


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


def _known(x: np.ndarray, y: np.ndarray, n_base: int, n_head: int, middle: Any) -> Comparison:
    base, head = float(middle(x)), float(middle(y))
    return Comparison(n_base, n_head, base, head, ratio=head / base if base > 0 else None)


def _around_the_middle(shifts: np.ndarray, left: float) -> tuple[float, float, float]:
    """Return the value at rank `left`, the median, and the value as far from the other end."""
    first, last = max(math.floor(left), 0), len(shifts) - 1
    half = sorted({last // 2, last - last // 2})
    found = np.partition(shifts, sorted({first, last - first, *half}))
    return float(found[first]), float(np.mean(found[half])), float(found[last - first])


def _judged(found: Comparison, low: float, high: float, limit: float) -> Comparison:
    smallest = (Z95 + Z80) * (high - low) / (2 * Z95)
    return replace(found, low=low, high=high, smallest=smallest, verdict=_verdict(low, high, limit))


def _verdict(low: float, high: float, tolerance: float) -> str:
    if -tolerance <= low and high <= tolerance:
        return "same"
    if low > 0:
        return "slower"
    return "faster" if high < 0 else "not enough data"
