"""Requests waited before the target worked on them."""

from __future__ import annotations

import numpy as np

from performance.measured import Level, Measured
from performance.rules.base import Finding, Thresholds, percent, picture, rounded, seconds


def waiting(measured: Measured, limits: Thresholds) -> list[Finding]:
    """Return one finding where requests spend most of their time in no part of the target.

    That is latency minus the target's own time; where it does not tell that, latency minus the median
    under the least load.  It must have set in with the load, or the target must have fallen behind.
    """
    waits = _waits(measured)
    if waits is None:
        return []
    means = [_mean(waits[level.rows]) for level in measured.levels]
    top, low = means[-1], means[0]
    share = min(top / max(float(measured.latency[measured.top.rows].mean()), 1e-9), 1.0)
    # A machine that halts for a moment makes few wait long; a queue makes all wait.
    is_typical = np.nanmedian(waits[measured.top.rows]) >= limits.noticeable / 2 if top > 0 else False
    behind = measured.falls_behind(measured.top)
    grew = len(means) > 1 and top >= 2 * limits.grew * low and top - low >= limits.noticeable
    if share < 0.5 or top < limits.noticeable or not is_typical or not (grew or behind):
        return []
    rates = [measured.offered(level) for level in measured.levels]
    facts = {
        "seconds": top,
        "at_least_load": low,
        "share": share,
        "falls_behind": behind,
        "sets_in_at": rates[_begins(means, max(limits.noticeable, 2 * low))] if grew else None,
        "in_flight": measured.in_flight(measured.top),
        "told_by_target": measured.server is not None,
    }
    text = f"Requests wait {seconds(top)} before the target works on them, {percent(share)} of their time"
    if grew:
        text += f"; at {rates[0]:.0f} per second they waited {seconds(low)}"
    if behind:
        answered = measured.completed(measured.top)
        text += f"; it was sent {rates[-1]:.0f} per second and answered {answered:.0f}"
    evidence = {**rounded(facts), "picture": _picture(measured, waits, rates, means)}
    return [Finding("queueing", "waiting", share, text + ".", share, evidence)]


def _waits(measured: Measured) -> np.ndarray | None:
    if measured.server is not None:
        return np.where(measured.told, np.maximum(measured.latency - measured.server, 0), np.nan)
    if len(measured.levels) < 2:
        return None
    return np.maximum(measured.latency - float(np.median(measured.latency[measured.lowest.rows])), 0)


def _mean(waits: np.ndarray) -> float:
    known = waits[np.isfinite(waits)]
    return float(known.mean()) if len(known) else 0.0


def _begins(means: list[float], much: float) -> int:
    """Number of the first level in which requests wait that long; the last where none does."""
    return next((number for number, mean in enumerate(means) if mean >= much), len(means) - 1)


def _picture(measured: Measured, waits: np.ndarray, rates: list[float], means: list[float]) -> dict:
    if len(rates) > 1:
        return picture("line", rates, means, x_title="load (1/s)", y_title="waiting (s)")
    level: Level = measured.top
    rows = list(measured.windows(level))
    at = [float(measured.intended[piece].mean()) for piece in rows]
    return picture(
        "line", at, [_mean(waits[piece]) for piece in rows], x_title="time (s)", y_title="waiting (s)"
    )
