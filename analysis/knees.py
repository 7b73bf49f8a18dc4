"""The load at which latency begins to climb."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FEWEST = 3  # steps before the bend
LAST = 2  # steps after it, at least, and every one of them high
SURE = 0.995
QUIET = 0.02  # steps are never believed to agree better than that
CLIMB = 1.5  # times the level before: less is no knee to anybody


@dataclass(frozen=True, slots=True)
class Knee:
    """Latency was about `before` up to the load `low`, above `limit` from `high` on, and `after` at the end."""

    low: float
    high: float
    before: float
    limit: float
    after: float


def find_knee(loads: Sequence[float], latencies: Sequence[float]) -> Knee | None:
    """Return where latency begins to climb over the steps of a load; None where it does not.

    It is the first step from which on all lie above what the steps before it predict (Student's prediction
    limit on the logarithm, one-sided 99.5 %), if the last reaches one and a half times their level.

    Args:
        loads: of each step, users or requests a second; a load may come several times, its median counts.
        latencies: one figure of each step, say its p95, > 0.

    Raises:
        ValueError: a latency is not above zero or not finite, or the lengths differ.
    """
    x, y = np.asarray(loads, dtype=float), np.asarray(latencies, dtype=float)
    if len(x) != len(y):
        raise ValueError(f"{len(x)} loads and {len(y)} latencies do not belong together")
    if not (np.isfinite(x).all() and np.isfinite(y).all() and (y > 0).all()):
        raise ValueError("latencies must be above zero: leave out the steps without an answer")
    places = np.unique(x)
    logs = np.array([float(np.median(np.log(y[x == place]))) for place in places])
    for at in range(FEWEST, len(places) - LAST + 1):
        level, limit = _predicted(logs[:at])
        before, after = math.exp(level), math.exp(float(logs[-1]))
        if (logs[at:] > limit).all() and after >= CLIMB * before:
            return Knee(float(places[at - 1]), float(places[at]), before, math.exp(limit), after)
    return None


def _predicted(logs: np.ndarray) -> tuple[float, float]:
    """Return the level of the steps so far and what the next one stays below."""
    from scipy.special import stdtrit

    n = len(logs)
    spread = max(float(logs.std(ddof=1)), QUIET)
    level = float(logs.mean())
    return level, level + float(stdtrit(n - 1, SURE)) * spread * math.sqrt(1 + 1 / n)
