"""Something grew with time under equal load."""

from __future__ import annotations

import numpy as np

from performance.measured import Level, Measured
from performance.rules.base import Finding, Thresholds, picture, rising_p, rounded, seconds
from performance.sources.base import Series

LEAST_BYTES = 16e6  # a growth below it is a program that warms up
LEAST_GROWTH = 0.1  # share of what it had
FEWEST_WINDOWS = 6


def leaks(measured: Measured, limits: Thresholds) -> list[Finding]:
    """Return what rose steadily (Mann-Kendall) and much, in the longest level of equal load."""
    level = max(measured.levels, key=lambda one: one.seconds * len(one.rows))
    found = [_latency(measured, level, limits)]
    found += [_memory(series, measured, limits) for series in measured.series if series.unit == "bytes"]
    return [finding for finding in found if finding]


def _latency(measured: Measured, level: Level, limits: Thresholds) -> Finding | None:
    """Time that the target itself takes; where it tells none, latency, unless a backlog explains it."""
    if measured.falls_behind(level):
        return None
    pieces = list(measured.windows(level))
    if measured.server is None:
        times = measured.latency
    else:  # answers that tell nothing have a time of 0, and there may be more of them at first
        times, pieces = measured.server, [piece[measured.told[piece]] for piece in pieces]
    rows = [piece for piece in pieces if len(piece) >= 5]
    if len(rows) < FEWEST_WINDOWS:
        return None
    at = [float(measured.intended[piece].mean()) for piece in rows]
    medians = np.array([np.median(times[piece]) for piece in rows])
    quarter = max(len(rows) // 4, 2)
    first, last = float(np.median(medians[:quarter])), float(np.median(medians[-quarter:]))
    steady = rising_p(medians)
    if last < 2 * first or last - first < limits.noticeable or steady >= limits.p:
        return None
    text = (
        f"The target takes longer the longer it runs: {seconds(first)} at first and {seconds(last)} at last, "
        f"under the same {measured.offered(level):.0f} requests per second"
    )
    shown = picture("line", at, medians, x_title="time (s)", y_title="median time (s)")
    evidence = rounded({"first": first, "last": last, "p": steady, "windows": len(rows), "picture": shown})
    score = 0.5 + 0.5 * (1 - first / last)
    return Finding("leak", "latency", float(score), text + ".", None, evidence)


def _memory(series: Series, measured: Measured, limits: Thresholds) -> Finding | None:
    inside = (series.times >= measured.intended[0]) & (series.times <= measured.intended[-1] + 1)
    values = series.values[inside]
    times = series.times[inside][np.isfinite(values)]
    values = values[np.isfinite(values)]
    if len(values) < FEWEST_WINDOWS or "memory" not in series.name.lower():
        return None
    half = len(values) // 2
    grown, late = values[-1] - values[0], values[-1] - values[half]
    # A program that warms up grows at first; a leak grows in the second half as well.
    if grown < max(LEAST_BYTES, LEAST_GROWTH * values[0]) or late < 0.3 * grown:
        return None
    steady = rising_p(values)
    if steady >= limits.p:
        return None
    rate = grown / max(times[-1] - times[0], 1e-9)
    per_request = grown / max(measured.n * measured.each, 1)
    text = (
        f"{series.name[:1].upper()}{series.name[1:]} grew from {values[0] / 1e6:.0f} to "
        f"{values[-1] / 1e6:.0f} MB, {rate / 1e6:.1f} MB per second or {per_request / 1e3:.0f} kB per "
        "request, and did not stop"
    )
    shown = picture("line", times, values / 1e6, x_title="time (s)", y_title=f"{series.name} (MB)")
    evidence = rounded(
        {"first": values[0], "last": values[-1], "bytes_per_s": rate, "p": steady, "picture": shown}
    )
    score = 0.5 + 0.5 * min(grown / max(values[0], 1.0), 1.0)
    return Finding("leak", series.name, float(score), text + ".", None, evidence)
