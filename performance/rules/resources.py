"""A resource was full while latency rose."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from analysis.saturation import find_saturated
from performance.measured import Measured
from performance.rules.base import Finding, Thresholds, percent, picture, rounded, seconds
from performance.rules.cpu import asked_cpu
from performance.sources.base import Series

FEWEST = 3  # values of the series in which it was full
MACHINE, TARGET = "CPU", "CPU of the target"


def full_resources(measured: Measured, limits: Thresholds) -> list[Finding]:
    """Return the resources with a limit that were at it while requests took longer than without.

    Being full alone is no fault, and neither is a machine that others fill: what the load does not move
    is not accused.
    """
    found = []
    for series in measured.series:
        if series.saturated_at is None or len(series.times) < 2 * FEWEST:
            continue
        if series.name == TARGET:
            found.append(asked_cpu(measured, series, limits) or _judge(measured, series, limits))
        elif not (series.name == MACHINE and _is_filled_by_others(measured)):
            found.append(_judge(measured, series, limits))
    return [finding for finding in found if finding]


def _is_filled_by_others(measured: Measured) -> bool:
    """Whether the target is known to use little of the CPU of its machine."""
    own = [series for series in measured.series if series.name == TARGET]
    return bool(own) and np.nanmax(_inside(measured, own[0])[1], initial=0) < 0.5


def _judge(measured: Measured, series: Series, limits: Thresholds) -> Finding | None:
    full_from = series.saturated_at or 0.0
    times, values = _inside(measured, series)
    if full_from <= 0 or (values >= full_from).sum() < FEWEST:
        return None
    latency = _latency_at(measured, times)
    search = find_saturated(latency.tolist(), {series.name: (values / full_from).tolist()}, full=1.0)
    if not search.accused or not _follows_load(measured, times, values):
        return None
    full, known = values >= full_from, np.isfinite(latency)
    during, before = (float(np.median(latency[part & known])) for part in (full, ~full))
    if not during - before >= limits.noticeable:
        return None
    share = float(full.mean())
    facts = {
        "full_from": full_from,
        "unit": series.unit,
        "share_of_time": share,
        "highest": float(values.max()),
        "latency_full": during,
        "latency_otherwise": before,
        "correlation": search.accused[0].correlation,
        "p": search.accused[0].p,
    }
    shown = picture(
        *("line", times, values),
        x_title="time (s)",
        y_title=f"{series.name} ({series.unit})",
        limit=full_from,
        second=list(latency),
        second_title="latency (s)",
    )
    text = (
        f"{series.name} was full ({_of(full_from, series.unit)} or more) {percent(share)} of the "
        f"time, and requests took {seconds(during)} meanwhile instead of {seconds(before)}."
    )
    explained = max(0.0, 1 - before / during)
    evidence = {**rounded(facts), "picture": shown}
    return Finding("resource", series.name, float(0.5 + 0.5 * explained), text, None, evidence)


def _inside(measured: Measured, series: Series) -> tuple[np.ndarray, np.ndarray]:
    """Times and values (n,) within the load, without gaps."""
    inside = (series.times >= measured.intended[0]) & (series.times <= measured.intended[-1] + 1)
    inside &= np.isfinite(series.values)
    return series.times[inside], series.values[inside]


def _latency_at(measured: Measured, times: np.ndarray) -> np.ndarray:
    """Median latency (n,) of the requests meant for the time up to each value; NaN where there were none."""
    edges = np.concatenate([[times[0] - (times[1] - times[0])], times])
    places = np.searchsorted(measured.intended, edges)
    pieces = [measured.latency[low:high] for low, high in pairwise(places)]
    return np.array([np.median(piece) if len(piece) else np.nan for piece in pieces])


def _follows_load(measured: Measured, times: np.ndarray, values: np.ndarray) -> bool:
    """Whether it was used more under the most load than under the least; true where there was one load."""
    if len(measured.levels) < 2:
        return True
    means = []
    for level in (measured.lowest, measured.top):
        there = values[(times > level.start) & (times <= level.end + 0.5)]
        means.append(float(there.mean()) if len(there) else float("nan"))
    return not means[1] < 1.15 * means[0]


def _of(value: float, unit: str) -> str:
    return percent(value) if unit == "share" else f"{value:g} {unit}".strip()
