"""What a handful of measurements amounts to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Summary:
    """n measurements in one unit: their mean, standard deviation (n - 1; 0 for n = 1) and quantiles."""

    n: int
    mean: float
    stdev: float
    p50: float
    p90: float
    p95: float
    p99: float


def quantile(values: Sequence[float], q: float) -> float:
    """Return the `q`-quantile of `values`, linearly interpolated between neighbors.

    This is type 7 of Hyndman and Fan, the rule that NumPy and spreadsheets use,
    so a number on a dashboard can be checked in either.

    Args:
        values: n measurements in any order, all in one unit; n >= 1.  Not changed.
        q: the wanted fraction, 0 <= q <= 1 (0.95 for p95).

    Returns:
        The quantile, in the unit of `values`.  For n = 1 it is that one value.

    Raises:
        ValueError: `values` is empty or holds a NaN, or `q` lies outside [0, 1].

    Source: R. J. Hyndman, Y. Fan, "Sample Quantiles in Statistical Packages",
    The American Statistician 50 (1996) 361-365, definition 7.

    >>> quantile([4.0, 1.0, 3.0, 2.0], 0.5)
    2.5
    """
    if len(values) == 0 or any(map(math.isnan, values)):
        raise ValueError("quantile needs at least one value and no NaN")
    if not 0 <= q <= 1:
        raise ValueError(f"q must lie in [0, 1], not {q}")
    return float(np.quantile(values, q))


def summarize(values: Sequence[float]) -> Summary | None:
    """Return the summary of n >= 1 measurements; None where there are none.

    Raises:
        ValueError: one of them is a NaN.
    """
    if len(values) == 0:
        return None
    array = np.asarray(values, dtype=float)
    if np.isnan(array).any():
        raise ValueError("summarize needs values without NaN")
    p50, p90, p95, p99 = (float(value) for value in np.quantile(array, [0.5, 0.9, 0.95, 0.99]))
    stdev = float(array.std(ddof=1)) if len(array) > 1 else 0.0
    return Summary(len(array), float(array.mean()), stdev, p50, p90, p95, p99)
