"""How far a percentile of one run can be trusted, although neighboring requests resemble each other.

Whether a request stays below the percentile is a series of zeros and ones.  Its means over blocks of time
give the error of the share, correlation included; the share's bounds are read back as values (Heidelberger
and Lewis, "Quantile Estimation in Dependent Sequences", Operations Research 32 (1984) 185-209).  Blocks grow
until they no longer resemble their neighbors; what is left of that widens the interval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MOST_BLOCKS, FEWEST_BLOCKS = 32, 10
BEYOND = 2  # independent requests that must lie beyond the quantile, or the run is too short for it


@dataclass(frozen=True, slots=True)
class QuantileInterval:
    """`value` is the quantile, `low` to `high` its 95 % interval, None where the run is too short.

    `n` requests weigh as much as `effective` independent ones.
    """

    q: float
    n: int
    value: float | None = None
    low: float | None = None
    high: float | None = None
    blocks: int = 0
    effective: float | None = None


def quantile_interval(values: Sequence[float], q: float, *, blocks: int | None = None) -> QuantileInterval:
    """Return the q-quantile of one run's latencies with its 95 % interval.

    Args:
        values: latencies in the order in which the requests were meant to be sent.
        q: 0 < q < 1.
        blocks: into how many stretches of time the run is cut; found from the data where left out.

    Raises:
        ValueError: a value is not finite, q lies outside, or there are fewer than 4 blocks.
    """
    array = np.asarray(values, dtype=float)
    if not 0 < q < 1:
        raise ValueError(f"q must lie between 0 and 1, not {q}")
    if blocks is not None and blocks < 4:
        raise ValueError(f"an interval needs 4 blocks or more, not {blocks}")
    if not np.isfinite(array).all():
        raise ValueError("latencies must be finite: leave out requests without an answer")
    if len(array) == 0:
        return QuantileInterval(q, 0)
    return _bounded(array, q, blocks)


def _bounded(array: np.ndarray, q: float, blocks: int | None) -> QuantileInterval:
    n, value = len(array), float(np.quantile(array, q))
    # A block in which nothing can be expected above (or below) the quantile tells nothing of its error.
    most = min(blocks or MOST_BLOCKS, int(n * min(q, 1 - q)), n // 2)
    if most < (blocks or FEWEST_BLOCKS):
        return QuantileInterval(q, n, value)
    count, times = _widening(array, q, most, blocks or FEWEST_BLOCKS)
    # Rare waves of slow requests hide from a high percentile's own blocks, seldom from the median's.
    times = max(times, _widening(array, 0.5, count, count)[1], 1.0)
    effective = n / times
    if effective * min(q, 1 - q) < BEYOND:
        return QuantileInterval(q, n, value, None, None, count, effective)
    spread = _student(count - 1) * math.sqrt(q * (1 - q) / effective)
    low, high = q - spread, q + spread
    return QuantileInterval(
        q,
        n,
        value,
        float(np.quantile(array, low)) if low > 0 else None,
        float(np.quantile(array, high)) if high < 1 else None,
        count,
        effective,
    )


def _widening(array: np.ndarray, q: float, most: int, fewest: int) -> tuple[int, float]:
    """Return the blocks used, and how many times the variance of a share exceeds that without correlation."""
    below = (array <= np.quantile(array, q)).astype(float)
    count = most
    while True:
        size = len(below) // count
        means = below[len(below) - count * size :].reshape(count, size).mean(axis=1)
        rest = means - means.mean()
        power = float((rest**2).sum())
        left = float((rest[1:] * rest[:-1]).sum()) / power + 1 / count if power > 0 else 0.0
        if left <= 1 / math.sqrt(count) or count <= fewest:
            break
        count = max(int(count / 1.5), fewest)
    left = min(max(left, 0.0), 0.8)
    return count, power / (count - 1) / count * (1 + left) / (1 - left) * len(below) / (q * (1 - q))


def _student(freedom: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975))
