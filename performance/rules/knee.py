"""More load brought no more throughput."""

from __future__ import annotations

from typing import Any

import numpy as np

from analysis.scalability import Scalability, fit_scalability
from performance.measured import Measured
from performance.rules.base import Finding, Thresholds, percent, picture, rounded

PIECES = 3  # of each level, as the law wants five loads or more
FEWEST = 10  # requests in a piece
NEAR = 0.75  # what was seen by what the law says; beyond, it speaks of loads that nobody saw


def knee(measured: Measured, limits: Thresholds) -> list[Finding]:
    """Return one finding where the target fell behind, with the Universal Scalability Law where it holds.

    The law is fitted to answers per second by requests at once, which Little's law gives: rate × time.
    """
    if len(measured.levels) < 2 or not measured.falls_behind(measured.top):
        return []
    loads, rates = _points(measured)
    if not len(loads):
        return []
    law = fit_scalability(loads.tolist(), rates.tolist())
    if law and not _holds(law, float(rates.max())):
        law = None
    offered, answered = measured.offered(measured.top), measured.completed(measured.top)
    facts = {
        "offered": offered,
        "answered": answered,
        "loads_measured": loads,
        "rates_measured": rates,
        **(_told_by(law) if law else {}),
    }
    shown = _fitted(loads, rates, law) if law else _answered(measured)
    evidence = {**rounded(facts), "picture": shown}
    score = float(np.clip(1 - answered / offered, 0, 0.4)) + 0.3
    return [Finding("knee", "throughput", score, _text(law, offered, answered), None, evidence)]


def _holds(law: Scalability, most: float) -> bool:
    """Whether what the law says of the most that can be answered is what was seen, or just ahead of it."""
    told = law.peak_throughput or law.ceiling
    return told is not None and NEAR <= most / told <= 1 / NEAR


def _told_by(law: Scalability) -> dict[str, Any]:
    return {
        "contention": law.contention,
        "coherency": law.coherency,
        "rate_of_one": law.rate,
        "peak_load": law.peak_load,
        "peak_throughput": law.peak_throughput,
        "ceiling": law.ceiling,
        "fit": law.fit,
        "loads": law.n,
    }


def _points(measured: Measured) -> tuple[np.ndarray, np.ndarray]:
    """Requests at once (n,) and answers per second (n,), a third of each level that the target kept up with.

    Where a backlog grows there is no steady state, and its length is none of the target's.
    """
    points = []
    for level in measured.levels:
        if measured.falls_behind(level):
            continue
        for piece in level.cut(measured.intended, PIECES):
            load, rate = measured.in_flight(piece), measured.completed(piece)
            if len(piece.rows) >= FEWEST and load > 0 and rate > 0:
                points.append((load, rate))
    made = np.array(points).reshape(-1, 2)
    return made[:, 0], made[:, 1]


def _text(law: Scalability | None, offered: float, answered: float) -> str:
    text = f"It was sent {offered:.0f} requests per second and answered {answered:.0f}"
    if law is None:
        return f"{text}."
    shares = f"{percent(law.contention[0])} of the work waits in line, coherency {law.coherency[0]:.2g}"
    if law.peak_load:
        do = "get" if law.peak_load[0] <= law.most else "would get"
        return f"{text}; more than {law.peak_load[0]:.0f} at once {do} less done ({shares})."
    return f"{text}; it can never answer more than {law.ceiling:.0f} ({shares})."


def _fitted(loads: np.ndarray, rates: np.ndarray, law: Scalability) -> dict[str, Any]:
    order = np.argsort(loads)
    return picture(
        *("line", loads[order], rates[order]),
        x_title="requests at once",
        y_title="answers (1/s)",
        second=[law.throughput_at(float(load)) for load in loads[order]],
        second_title="the law (1/s)",
        mark=law.peak_load[0] if law.peak_load else None,
    )


def _answered(measured: Measured) -> dict[str, Any]:
    """What was answered of what was sent: the two part where the target falls behind."""
    offered = [measured.offered(level) for level in measured.levels]
    answered = [measured.completed(level) for level in measured.levels]
    titles = {"x_title": "sent (1/s)", "y_title": "answered (1/s)", "second_title": "sent (1/s)"}
    return picture("line", offered, answered, second=offered, **titles)
