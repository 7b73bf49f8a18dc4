"""What more load does to a service: the Universal Scalability Law, and the load at which latency bends.

The law says throughput(N) = rate·N / (1 + contention·(N - 1) + coherency·N·(N - 1)) for N users (or threads,
or machines) at once: contention is the share that must be done one after another, coherency the price of
agreeing, which in the end makes more users get less done.  Source: N. J. Gunther, Guerrilla Capacity
Planning, chapter 5.  N / throughput is linear in the three, so the fit is a convex one with a single answer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FEWEST = 5  # different loads
RESAMPLES = 1000
REACH = 2.0  # times the greatest load measured: as far as a peak is told ahead


@dataclass(frozen=True, slots=True)
class Scalability:
    """The law's parameters, each with its 95 % interval as (value, low, high).

    `rate` is the throughput of one user, `peak_load` where throughput is greatest and `peak_throughput` how
    much that is; both are None where no knee was found, and `said` says so.  `ceiling` is what throughput can
    at most become by contention alone (None where nothing limits it).  `fit` is the share of the variance of
    throughput that the law explains, `error` its mean relative miss.
    """

    n: int
    most: float
    rate: tuple[float, float, float]
    contention: tuple[float, float, float]
    coherency: tuple[float, float, float]
    peak_load: tuple[float, float, float] | None
    peak_throughput: float | None
    ceiling: float | None
    fit: float
    error: float
    said: str

    @property
    def has_knee(self) -> bool:
        return self.peak_load is not None

    def throughput_at(self, load: float) -> float:
        slowed = 1 + self.contention[0] * (load - 1) + self.coherency[0] * load * (load - 1)
        return self.rate[0] * load / slowed


def fit_scalability(
    loads: Sequence[float], throughputs: Sequence[float], *, seed: int = 0
) -> Scalability | None:
    """Fit the law to throughput by load; None for fewer than five different loads.

    Args:
        loads: users at once of each step, > 0; the same load may come several times.
        throughputs: answers a second of each step, > 0.
        seed: of the bootstrap behind the intervals.

    Raises:
        ValueError: a number is not above zero, or there are not as many of the one as of the other.
    """
    load, found = _checked(loads, throughputs)
    if len(np.unique(load)) < FEWEST:
        return None
    best = _solve(load, found)
    expected = _law(load, best)
    again = _resampled(load, found, expected, seed)
    ends = _ends(len(load) - 3)
    bounds = np.quantile(again, ends, axis=0)
    rate, contention, coherency = (
        (float(best[i]), float(bounds[0, i]), float(bounds[1, i])) for i in range(3)
    )
    peak = _peak(best, again, ends, float(load.max()))
    variance = float(((found - found.mean()) ** 2).sum())
    return Scalability(
        n=len(load),
        most=float(load.max()),
        rate=rate,
        contention=contention,
        coherency=coherency,
        peak_load=peak,
        peak_throughput=float(_law(np.array([peak[0]]), best)[0]) if peak else None,
        ceiling=rate[0] / contention[0] if contention[1] > 0 else None,
        fit=1 - float(((found - expected) ** 2).sum()) / variance if variance > 0 else 0.0,
        error=float(np.abs(found / expected - 1).mean()),
        said=f"throughput peaks at a load of {peak[0]:.3g}" if peak else f"no knee up to {load.max():.3g}",
    )


def _checked(loads: Sequence[float], throughputs: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    load, found = np.asarray(loads, dtype=float), np.asarray(throughputs, dtype=float)
    if len(load) != len(found):
        raise ValueError(f"{len(load)} loads and {len(found)} throughputs do not belong together")
    both = np.concatenate([load, found])
    if not (np.isfinite(both).all() and (both > 0).all()):
        raise ValueError("loads and throughputs must be above zero: leave out steps that got nothing done")
    return load, found


def _ends(freedom: int) -> tuple[float, float]:
    """The percentiles of a 95 % interval, further out where few steps are left to tell the noise."""
    from scipy.special import ndtr, stdtrit

    low = float(ndtr(-stdtrit(max(freedom, 1), 0.975)))
    return low, 1 - low


def _resampled(load: np.ndarray, found: np.ndarray, expected: np.ndarray, seed: int) -> np.ndarray:
    misses = (found / expected - 1) * math.sqrt(len(load) / max(len(load) - 3, 1))
    drawn = np.random.default_rng(seed).choice(misses, (RESAMPLES, len(load)))
    return np.array([_solve(load, expected * np.maximum(1 + row, 0.01)) for row in drawn])


def _law(load: np.ndarray, parameters: np.ndarray) -> np.ndarray:
    rate, contention, coherency = parameters
    return rate * load / (1 + contention * (load - 1) + coherency * load * (load - 1))


def _solve(load: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Least relative squares of load / throughput = a + b·(load - 1) + c·load·(load - 1), none negative."""
    from scipy.optimize import nnls

    columns = np.stack([np.ones_like(load), load - 1, load * (load - 1)], axis=1)
    a, b, c = nnls(columns * (found / load)[:, None], np.ones_like(load))[0]
    a = max(a, 1e-300)
    return np.array([1 / a, b / a, c / a])


def _peak(
    best: np.ndarray, again: np.ndarray, ends: tuple[float, float], most: float
) -> tuple[float, float, float] | None:
    if np.quantile(again[:, 2], ends[0]) <= 0 or best[1] >= 1:
        return None
    at = math.sqrt((1 - best[1]) / best[2])
    if at > REACH * most:
        return None
    bends = again[(again[:, 2] > 0) & (again[:, 1] < 1)]
    low, high = np.quantile(np.sqrt((1 - bends[:, 1]) / bends[:, 2]), ends)
    return at, float(low), float(high)
