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
SLOW = 3.0  # times the level of the first steps: a climb so even that no step stands out


@dataclass(frozen=True, slots=True)
class Knee:
    """Latency was about `before` up to the load `low`, above `limit` from `high` on, at last `after`."""

    low: float
    high: float
    before: float
    limit: float
    after: float


def find_knee(loads: Sequence[float], latencies: Sequence[float]) -> Knee | None:
    """Return where latency begins to climb over the steps of a load; None where it does not.

    It is the first step from which on all lie above what the steps before it predict, as a level or, from
    four steps on, as a line (Student's prediction limit on the logarithm, one-sided 99.5 %), if the last step
    reaches one and a half times that.  Where latency climbs evenly from the start, as before a queue, it is
    the first step from which on all are three times as slow as the first ones.

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
        for degree in (0, 1) if at > FEWEST else (0,):
            expected, limits = _predicted(places, logs, at, degree)
            if (logs[at:] > limits).all() and logs[-1] >= expected[-1] + math.log(CLIMB):
                before, after = math.exp(float(expected[0])), math.exp(float(logs[-1]))
                low, high = float(places[at - 1]), float(places[at])
                return Knee(low, high, before, math.exp(float(limits[0])), after)
    begin = float(np.median(logs[:FEWEST])) if len(logs) else 0.0
    for at in range(FEWEST, len(places) - LAST + 1):
        if (logs[at:] >= begin + math.log(SLOW)).all():
            limit, low, high = SLOW * math.exp(begin), float(places[at - 1]), float(places[at])
            return Knee(low, high, math.exp(begin), limit, math.exp(float(logs[-1])))
    return None


def _predicted(places: np.ndarray, logs: np.ndarray, at: int, degree: int) -> tuple[np.ndarray, np.ndarray]:
    """What the first `at` steps expect of the others, as a level (0) or a line (1), and what bounds them."""
    from scipy.special import stdtrit

    columns = np.vander(places / places[at - 1], degree + 1)
    parts = np.linalg.lstsq(columns[:at], logs[:at], rcond=None)[0]
    freedom = at - degree - 1
    spread = max(math.sqrt(float(((logs[:at] - columns[:at] @ parts) ** 2).sum()) / freedom), QUIET)
    reach = np.einsum("ij,jk,ik->i", columns[at:], np.linalg.inv(columns[:at].T @ columns[:at]), columns[at:])
    expected = columns[at:] @ parts
    return expected, expected + float(stdtrit(freedom, SURE)) * spread * np.sqrt(1 + reach)
