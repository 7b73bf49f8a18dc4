"""How many runs it takes to see a change, and how small a change that many runs can see.

The noise is that of a log-normal figure (a time, a rate), told by its coefficient of variation; the test is
the rank test of `analysis.runs`, whose efficiency against the t-test is 3/pi.  Power is that of the
noncentral t distribution (J. Cohen, Statistical Power Analysis for the Behavioral Sciences, 2.3).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

EFFICIENCY = 3 / math.pi
MOST_RUNS = 100_000
FEWEST = 4  # a side; fewer never prove anything


def noise_of(values: Sequence[float]) -> float | None:
    """Return the coefficient of variation of positive figures of like runs; None for fewer than two.

    Taken from the spread of their logarithms, corrected for how little a few values spread.
    """
    array = np.asarray(values, dtype=float)
    if len(array) < 2:
        return None
    if not (np.isfinite(array).all() and (array > 0).all()):
        raise ValueError("the noise of runs is told by finite figures above zero")
    n = len(array)
    spread = float(np.log(array).std(ddof=1)) * (1 + 1 / (4 * (n - 1)))
    return math.sqrt(math.expm1(spread**2))


def power_of(n: int, cv: float, effect: float, *, alpha: float = 0.05) -> float:
    """Return how often `n` runs a side show a change of `effect` (0.05: 5 % more; -0.05: 5 % less)."""
    _check(cv, alpha)
    if n < FEWEST:
        return 0.0
    if effect <= -1:
        raise ValueError("an effect is a share above -1: 0.05 means 5 % more, -0.05 means 5 % less")
    gap, spread = abs(math.log1p(effect)), math.sqrt(math.log1p(cv * cv))
    if spread == 0:
        return 1.0 if gap else alpha
    return _power(n, gap / spread, alpha)


def runs_needed(
    noise: float | Sequence[float], effect: float, *, power: float = 0.8, alpha: float = 0.05
) -> int | None:
    """Return the runs that each side needs to show `effect` with `power`; None where no number is enough.

    Args:
        noise: a coefficient of variation (0.1: 10 %), or the figures of two or more runs of one thing.
        effect: the change as a share, 0.05 for 5 % more; not 0.
    """
    cv = noise if isinstance(noise, int | float) else noise_of(noise)
    if cv is None:
        raise ValueError("give the figures of two runs or more, or the noise as a number")
    if not 0 < power < 1 or effect == 0:
        raise ValueError("power lies between 0 and 1, and an effect of 0 can't be seen")
    high = FEWEST
    while power_of(high, cv, effect, alpha=alpha) < power:
        if high >= MOST_RUNS:
            return None
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if power_of(middle, cv, effect, alpha=alpha) < power else (low, middle)
    return max(high, FEWEST)


def smallest_effect(n: int, cv: float, *, power: float = 0.8, alpha: float = 0.05) -> float | None:
    """Return the increase, as a share, that `n` runs a side show with `power`; None below 4 runs a side."""
    _check(cv, alpha)
    if n < FEWEST:
        return None
    if cv == 0:
        return 0.0
    return math.expm1(_smallest_gap(n, power, alpha) * math.sqrt(math.log1p(cv * cv)))


@lru_cache(maxsize=1024)
def _smallest_gap(n: int, power: float, alpha: float) -> float:
    low, high = 0.0, 1.0
    while _power(n, high, alpha) < power:
        low, high = high, 2 * high
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if _power(n, middle, alpha) < power else (low, middle)
    return high


def _power(n: int, gap: float, alpha: float) -> float:
    from scipy import special

    freedom = 2 * n - 2
    edge = special.stdtrit(freedom, 1 - alpha / 2)
    shift = gap * math.sqrt(n * EFFICIENCY / 2)
    beyond = 1 - special.nctdtr(freedom, shift, edge)
    return float(beyond) if math.isfinite(beyond) else float(special.ndtr(shift - edge))


def _check(cv: float, alpha: float) -> None:
    if not math.isfinite(cv) or cv < 0:
        raise ValueError(f"noise is a coefficient of variation, 0 or more, not {cv}")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha lies between 0 and 1, not {alpha}")
