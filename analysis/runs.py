"""Two sets of runs compared, one figure a run: which is better, by how much, and what could be seen at all.

A run is the unit: its requests follow each other and prove nothing as if they were independent.  The ratio is
exp of the Hodges-Lehmann shift between the logarithms, how many times a run of head is a run of base; its
interval is a bootstrap of runs, widened for few of them (T. Hesterberg, "What Teachers Should Know About the
Bootstrap", The American Statistician 69 (2015), expanded percentiles).  It covers at 93 to 97 %.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.blocks import QuantileInterval, quantile_interval
from analysis.comparison import compare
from analysis.power import noise_of, smallest_effect

__all__ = ["QuantileInterval", "RunComparison", "compare_runs", "quantile_interval", "seed_of"]

FEWEST = 4  # a side; below, no interval
MOST = 48  # values a side that are paired in each resample; more are thinned evenly
RESAMPLES = 2000
CHUNK = 250


@dataclass(frozen=True, slots=True)
class RunComparison:
    """`base` and `head` are medians; `ratio` is head by base, `low` to `high` its 95 % interval.

    `p` is Mann and Whitney's, `delta` Cliff's (-1 to 1: how much more often head is greater).  `smallest` is
    the change, as a share, that so many runs would show in four of five cases.  What can't be said is None;
    `verdict` is `faster`, `slower`, `same` or `not enough data`, where faster means better.
    """

    n_base: int
    n_head: int
    base: float | None = None
    head: float | None = None
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    delta: float | None = None
    smallest: float | None = None
    verdict: str = "not enough data"


def seed_of(*names: object) -> int:
    """Return one seed for the same names, so that a comparison repeats to the last digit."""
    return zlib.crc32("\0".join(map(str, names)).encode())


def compare_runs(
    base: Sequence[float],
    head: Sequence[float],
    *,
    seed: int,
    less_is_better: bool = True,
    same_within: float = 0.05,
    floor: float = 0.0,
    resamples: int = RESAMPLES,
) -> RunComparison:
    """Compare one figure of each of n and of m runs.

    Args:
        seed: of the bootstrap; take `seed_of` the two runs' ids.
        less_is_better: False for throughput and the like.
        same_within: share that makes no difference to anybody; `floor` the same as an absolute number.
        resamples: 2000 or more.

    Raises:
        ValueError: a figure is not finite, or there are fewer than 2000 resamples.
    """
    x, y = _checked(base), _checked(head)
    if resamples < RESAMPLES:
        raise ValueError(f"an interval needs {RESAMPLES} resamples or more, not {resamples}")
    if len(x) == 0 or len(y) == 0:
        return RunComparison(len(x), len(y))
    shift = compare(base, head, same_within=same_within, floor=floor)
    medians = float(np.median(x)), float(np.median(y))
    if min(x.min(), y.min()) <= 0:  # no ratio; the shift still has a verdict
        said, sure = _named(shift.verdict, less_is_better), (shift.p, shift.delta)
        return RunComparison(len(x), len(y), *medians, shift.ratio, None, None, *sure, None, said)
    logs = np.log(x), np.log(y)
    ratio = math.exp(float(_shifts(logs[0][None], logs[1][None])[0]))
    if min(len(x), len(y)) < FEWEST:
        return RunComparison(len(x), len(y), *medians, ratio)
    low, high = ratio_interval(*logs, seed=seed, resamples=resamples)
    tolerance = math.log1p(max(same_within, floor / medians[0]))
    verdict = _named(_verdict(math.log(low), math.log(high), tolerance), less_is_better)
    sizes, sure = (len(x), len(y)), (shift.p, shift.delta)
    return RunComparison(*sizes, *medians, ratio, low, high, *sure, _smallest(x, y), verdict)


def _checked(figures: Sequence[float]) -> np.ndarray:
    found = np.asarray(figures, dtype=float)
    if not np.isfinite(found).all():
        raise ValueError("a run without the figure is left out, not compared: all must be finite")
    return found


def ratio_interval(
    x: np.ndarray, y: np.ndarray, *, seed: int, resamples: int = RESAMPLES
) -> tuple[float, float]:
    """Return the 95 % interval of the ratio whose logarithmic samples are given, by bootstrap."""
    from scipy.special import ndtr, stdtrit

    chance = np.random.default_rng(seed)
    shifts = np.concatenate(
        [
            _shifts(chance.choice(x, (size, len(x))), chance.choice(y, (size, len(y))))
            for size in [CHUNK] * (resamples // CHUNK) + [resamples % CHUNK]
            if size
        ]
    )
    fewer = min(len(x), len(y))
    wide = math.sqrt(fewer / (fewer - 1)) * float(stdtrit(len(x) + len(y) - 2, 0.975))
    low, high = np.quantile(shifts, [float(ndtr(-wide)), float(ndtr(wide))])
    return math.exp(float(low)), math.exp(float(high))


def _shifts(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The Hodges-Lehmann shift from x to y of each row."""
    x, y = _thinned(x), _thinned(y)
    return np.median((y[:, None, :] - x[:, :, None]).reshape(len(x), -1), axis=1)


def _thinned(rows: np.ndarray) -> np.ndarray:
    if rows.shape[1] <= MOST:
        return rows
    kept = (np.arange(MOST) + 0.5) / MOST * rows.shape[1] - 0.5
    return np.sort(rows, axis=1)[:, kept.round().astype(int)]


def _smallest(x: np.ndarray, y: np.ndarray) -> float | None:
    pooled = np.concatenate([x / np.exp(np.log(x).mean()), y / np.exp(np.log(y).mean())])
    even = round(2 / (1 / len(x) + 1 / len(y)))
    noise = noise_of([float(value) for value in pooled])
    return None if noise is None else smallest_effect(max(even, FEWEST), noise)


def _verdict(low: float, high: float, tolerance: float) -> str:
    if -tolerance <= low and high <= tolerance:
        return "same"
    if low > 0:
        return "slower"
    return "faster" if high < 0 else "not enough data"


def _named(verdict: str, less_is_better: bool) -> str:
    return verdict if less_is_better else {"slower": "faster", "faster": "slower"}.get(verdict, verdict)
