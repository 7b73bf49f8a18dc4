"""How many runs it takes to see a change of a given size, asked before they are made."""

from __future__ import annotations

import math

from performance.verdicts import POWER, SURE, Noise, detectable, t_quantile

MOST_RUNS = 1000


def smallest_change(noise: Noise, n: int, m: int, *, sure: float = SURE, power: float = POWER) -> float:
    """Return the shift on the working scale that n runs against m show in `power` of all times."""
    return detectable(noise.deviation * math.sqrt(1 / n + 1 / m), noise.freedom, sure, power)


def runs_needed(effect: float, noise: Noise, *, sure: float = SURE, power: float = POWER) -> int | None:
    """Return how many runs on each side show a change by the share `effect`; None beyond a thousand.

    The runs to come add to what is known of the noise.  Noncentral t: exact for equal normal spreads.
    """
    if noise.deviation == 0:
        return 1
    shift = math.log1p(effect)
    low, high = 1, MOST_RUNS
    if _power(shift, noise, high, sure) < power:
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _power(shift, noise, middle, sure) >= power else (middle + 1, high)
    return low


def _power(shift: float, noise: Noise, n: int, sure: float) -> float:
    from scipy.special import nctdtr, ndtr

    freedom = noise.freedom + 2 * (n - 1)
    away = shift / (noise.deviation * math.sqrt(2 / n))
    edge = t_quantile(sure, freedom)
    found = 1 - float(nctdtr(freedom, away, edge))
    return found if math.isfinite(found) else float(ndtr(away - edge))
