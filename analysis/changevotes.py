"""What the search for changes of level rests on: ranks, the depth of cuts in noise, and Perfherder's rule."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

SHUFFLES = 2000
LONGEST = 512  # points that are shuffled; from there on the odds grow with the logarithm of the length
TAIL = 0.02  # below this share too few shuffles are left to count
BACK, FORE, LEAST = 24, 12, 12  # Perfherder's windows
T_VALUE = 7.0


def normal_scores(values: np.ndarray) -> np.ndarray:
    """Return the normal quantiles of the ranks (van der Waerden), mean 0; ties share their mean rank."""
    from scipy.special import ndtri

    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    scores = ndtri(ranks / (len(values) + 1))
    return scores - scores.mean()


def cut_probability(depth: float, n: int, fewest: int) -> float:
    """Return how often the deepest cut of n shuffled points, `fewest` or more on each side, is this deep.

    `depth` is the greatest standardized difference.  Where the shuffles end, the tail goes on as that of a
    normal process does, b·exp(-b²/2) (James, James and Siegmund, Biometrika 74 (1987) 71-83).
    """
    depths = _depths_of_noise(min(n, LONGEST), fewest)
    edge = float(depths[-int(TAIL * SHUFFLES)])
    if depth > edge:
        p = TAIL * depth / edge * math.exp((edge**2 - depth**2) / 2)
    else:
        p = 1 - float(np.searchsorted(depths, depth)) / (SHUFFLES + 1)
    if n > LONGEST:
        growth = math.log(n / fewest - 1) / math.log(LONGEST / fewest - 1)
        p = 1 - (1 - p) ** growth if p > 1e-9 else p * growth
    return p


@lru_cache(maxsize=2048)
def _depths_of_noise(n: int, fewest: int) -> np.ndarray:
    from scipy.special import ndtri

    scores = ndtri(np.arange(1, n + 1) / (n + 1))
    scores /= math.sqrt(float((scores**2).sum()) / (n - 1))
    shuffled = np.random.default_rng([n, fewest]).permuted(np.tile(scores, (SHUFFLES, 1)), axis=1)
    at = np.arange(fewest, n - fewest + 1)
    cuts = np.abs(np.cumsum(shuffled, axis=1)[:, fewest - 1 : n - fewest])
    return np.sort((cuts / np.sqrt(at * (n - at) / n)).max(axis=1))


def student_votes(values: np.ndarray) -> list[int]:
    """Return the points that Perfherder's rule marks: t > 7 and no less than at both neighbors.

    t compares the 24 points before (at least 12) with the 12 from there on; points weigh linearly less with
    their distance, in the means and in the variances.  Source: treeherder, treeherder/perfalert.
    """
    n = len(values)
    t = np.zeros(n + 1)
    for size in range(LEAST, BACK + 1):
        # Every point has the same windows but for those near the start, which have what there is.
        points = np.array([size]) if size < BACK else np.arange(BACK, n - FORE + 1)
        points = points[points <= n - FORE]
        if len(points):
            t[points] = _t_values(values, points, size)
    peaks = (t > T_VALUE) & (t >= np.roll(t, 1)) & (t >= np.roll(t, -1))
    return [int(index) for index in np.flatnonzero(peaks)]


def _t_values(values: np.ndarray, points: np.ndarray, size: int) -> np.ndarray:
    back = values[points[:, None] - 1 - np.arange(size)]
    fore = values[points[:, None] + np.arange(FORE)]
    (mean_back, spread_back), (mean_fore, spread_fore) = _weighted(back), _weighted(fore)
    error = np.sqrt(spread_back / size + spread_fore / FORE)
    gap = np.abs(mean_fore - mean_back)
    return np.where(error > 0, gap / np.where(error > 0, error, 1), np.where(gap > 0, np.inf, 0.0))


def _weighted(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean with linear weights and variance of each row, whose first value is the nearest."""
    n = rows.shape[1]
    weights = (n - np.arange(n)) / n
    mean = rows @ weights / weights.sum()
    return mean, ((rows - mean[:, None]) ** 2).sum(axis=1) / (n - 1)
