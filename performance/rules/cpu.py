"""The load asks for more CPU time than a program of one computing thread can have."""

from __future__ import annotations

import numpy as np

from performance.measured import Measured
from performance.rules.base import Finding, Thresholds, picture, rounded, seconds
from performance.sources.base import Series

FEWEST = 6  # values; a rate from fewer says little


def asked_cpu(measured: Measured, series: Series, limits: Thresholds) -> Finding | None:
    """Judge by the utilization law (Denning and Buzen 1978): asked = requests per second × CPU time of each.

    It holds on a machine that others use too: a target that gets half a core answers half as many, and the
    CPU time of each request stays what it is.
    """
    times, values = _until_the_last_answer(measured, series)
    if len(values) < FEWEST:
        return None
    each = _cpu_per_request(measured, times, values)
    offered = measured.offered(measured.top)
    asked, full_from = each * offered, series.saturated_at or 1.0
    top, low = (float(np.median(measured.latency[level.rows])) for level in (measured.top, measured.lowest))
    rose = len(measured.levels) > 1 and top >= limits.grew * low and top - low >= limits.noticeable
    # What asks for more than there is can't be kept up, whatever else the machine does.
    is_much = asked >= 1.0 and top >= limits.noticeable
    if asked < full_from or not (rose or is_much or measured.falls_behind(measured.top)):
        return None
    facts = {
        "cpu_per_request": each,
        "asked": asked,
        "full_from": full_from,
        "unit": series.unit,
        "offered": offered,
        "answered": measured.completed(measured.top),
        "latency_full": top,
        "latency_otherwise": low if rose else None,
    }
    titles = {"x_title": "time (s)", "y_title": f"{series.name} ({series.unit})"}
    evidence = {**rounded(facts), "picture": picture("line", times, values, limit=full_from, **titles)}
    score = 0.6 + 0.4 * (max(1 - low / top, 0.0) if rose else 0.5)
    text = _text(each, asked, offered, top, low if rose else None)
    return Finding("resource", series.name, float(score), text, None, evidence)


def _text(each: float, asked: float, offered: float, top: float, low: float | None) -> str:
    text = (
        f"Each request costs {seconds(each)} of CPU time, so {offered:.0f} per second ask for "
        f"{asked:.1f} cores of a program that can use one"
    )
    if low is not None:
        text += f"; requests took {seconds(top)} then, and {seconds(low)} under the least load"
    return f"{text}."


def _until_the_last_answer(measured: Measured, series: Series) -> tuple[np.ndarray, np.ndarray]:
    end = float((measured.intended + measured.latency).max())
    inside = (series.times > measured.intended[0]) & (series.times <= end) & np.isfinite(series.values)
    return series.times[inside], series.values[inside]


def _cpu_per_request(measured: Measured, times: np.ndarray, values: np.ndarray) -> float:
    """CPU seconds of the whole load by the answers that came meanwhile."""
    steps = np.diff(times, prepend=times[0] - np.median(np.diff(times)))
    done = measured.intended + measured.latency <= times[-1]
    answered = measured.each * int((~measured.unanswered & done).sum())
    return float((values * steps).sum()) / max(answered, 1)
