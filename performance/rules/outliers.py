"""One kind of request has far slower ones than its median, again and again."""

from __future__ import annotations

import numpy as np

from performance.measured import Measured
from performance.rules.base import Finding, Thresholds, percent, picture, rounded, seconds

FEWEST = 5  # slow ones
SPANS = 16  # of time; slow ones that lie in few of them are one hiccup
TIMES_MEDIAN = 5.0


def slow_outliers(measured: Measured, limits: Thresholds) -> list[Finding]:
    """Return the kinds of requests of which some are slow without a moment that explains it.

    Slow: beyond five times the median of its kind and noticeably above it.  A machine that halts makes all
    kinds slow at once; so they must be spread over time and denser in this kind than in the others.
    """
    slow = np.zeros(measured.n, bool)
    medians = np.zeros(len(measured.requests))
    for number in range(len(measured.requests)):
        mine = measured.request == number
        if mine.sum() >= 30:
            medians[number] = np.median(measured.latency[mine])
            slow |= mine & (measured.latency > _limit(medians[number], limits))
    found = [
        _judge(measured, number, slow, medians[number], limits) for number in range(len(measured.requests))
    ]
    return [finding for finding in found if finding]


def _limit(median: float, limits: Thresholds) -> float:
    return max(TIMES_MEDIAN * median, median + 2.5 * limits.noticeable)


def _judge(
    measured: Measured, number: int, slow: np.ndarray, median: float, limits: Thresholds
) -> Finding | None:
    mine = measured.request == number
    rows = np.flatnonzero(mine & slow)
    n, others = int(mine.sum()), int((~mine).sum())
    if len(rows) < FEWEST or len(rows) > 0.25 * n:
        return None
    lost = float((measured.latency[rows] - median).sum())
    share = lost / float(measured.latency.sum())
    elsewhere = int((slow & ~mine).sum())
    spread = _spread(measured, rows)
    if share < 0.15 or spread < 0.5 or not _is_denser(len(rows), n, elsewhere, others, limits.p):
        return None
    name = measured.requests[number]
    typical = float(np.median(measured.latency[rows]))
    text = (
        f"{percent(len(rows) / n)} of {name} take {seconds(typical)} and the others {seconds(median)}; "
        f"these few make up {percent(share)} of all response time"
    )
    evidence = rounded(
        {
            "slow": len(rows),
            "n": n,
            "median": median,
            "median_of_slow": typical,
            "slow_elsewhere": elsewhere,
            "n_elsewhere": others,
            "share": share,
            "mostly_in": _part(measured, rows, np.flatnonzero(mine & ~slow)),
            "picture": picture(
                "line",
                [0.5, 0.75, 0.9, 0.95, 0.99, 1.0],
                np.quantile(measured.latency[mine], [0.5, 0.75, 0.9, 0.95, 0.99, 1.0]),
                x_title="quantile",
                y_title=f"latency of {name} (s)",
            ),
        }
    )
    return Finding("outliers", name, float(min(0.4 + share, 0.95)), text + ".", share, evidence)


def _spread(measured: Measured, rows: np.ndarray) -> float:
    """In how many spans of time the slow ones lie, as share of what as many scattered ones would reach."""
    start, end = measured.intended[0], measured.intended[-1] + 1e-9
    places = np.floor((measured.intended[rows] - start) / (end - start) * SPANS)
    expected = SPANS * (1 - (1 - 1 / SPANS) ** len(rows))
    return len(np.unique(places)) / expected


def _is_denser(slow: int, n: int, elsewhere: int, others: int, p: float) -> bool:
    if not others:
        return True  # there is nothing to hold it against; the spread over time has to do
    from scipy.stats import fisher_exact  # see rising_p

    if slow / n < 3 * elsewhere / others:
        return False
    table = [[slow, n - slow], [elsewhere, others - elsewhere]]
    return bool(fisher_exact(table, alternative="greater").pvalue < p)


def _part(measured: Measured, slow: np.ndarray, others: np.ndarray) -> str:
    """The part of the target in which the slow ones lose most, where it tells."""
    if measured.server is None or not len(others):
        return ""
    losses = {
        name: float(times[slow].mean() - times[others].mean()) for name, times in measured.components.items()
    }
    name = max(losses, key=lambda part: losses[part])
    return name if losses[name] > 0.5 * float(measured.latency[slow].mean()) else ""
