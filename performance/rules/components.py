"""A part of the target took most of the time, by what the target itself says in Server-Timing."""

from __future__ import annotations

from typing import Any

import numpy as np

from performance.measured import REST, Measured
from performance.rules.base import Finding, Thresholds, percent, picture, rounded, seconds


def slow_components(measured: Measured, limits: Thresholds) -> list[Finding]:
    """Return the parts that dominate, that grew with the load, or against earlier runs.

    By the utilization law (Denning and Buzen 1978) the part with the largest demand per request limits
    throughput, whatever requests wait for; so shares are of the time that the target worked.
    """
    if measured.server is None:
        return []
    found = [_judge(measured, name, measured.server, limits) for name in measured.components]
    return [finding for finding in found if finding]


def _judge(measured: Measured, name: str, work: np.ndarray, limits: Thresholds) -> Finding | None:
    times = measured.components[name]
    scopes = [("", measured.top.rows)]
    for number, request in enumerate(measured.requests):
        rows = measured.top.rows[measured.request[measured.top.rows] == number]
        if len(measured.requests) > 1 and len(rows) >= 30:
            scopes.append((request, rows))
    for request, rows in scopes:
        facts = _facts(measured, name, times, work, rows)
        if why := _why(facts, limits):
            return _finding(measured, name, request, facts, why)
    return None


def _facts(
    measured: Measured, name: str, times: np.ndarray, work: np.ndarray, rows: np.ndarray
) -> dict[str, Any]:
    told = rows[measured.told[rows]]
    if not len(told):
        return {}
    mean, server = times[told].mean(), max(work[told].mean(), 1e-9)
    before, server_before = (_under_least_load(measured, one, told) for one in (times, work))
    return {
        "seconds": mean,
        "typical": _mixed(measured, times, told, told, np.median),
        "share": min(mean / server, 1.0),
        "share_of_response": min(mean / max(measured.latency[told].mean(), 1e-9), 1.0),
        "share_of_all": times[told].sum() / max(measured.latency[measured.top.rows].sum(), 1e-9),
        "at_least_load": before,
        "share_of_growth": _share(mean, before, server, server_before),
        "usual": measured.usual.components.get(name) if measured.usual.runs else None,
        "usual_runs": measured.usual.runs,
        "growth_explained": _share(
            mean, measured.usual.components.get(name), server, _usual_server(measured)
        ),
        "n": len(told),
    }


def _under_least_load(measured: Measured, times: np.ndarray, rows: np.ndarray) -> float | None:
    """Mean under the least load of the same mixture of requests as in `rows`; None where that can't be told.

    Under little load there are few requests, and by chance other ones.
    """
    if len(measured.levels) < 2:
        return None
    low = measured.lowest.rows[measured.told[measured.lowest.rows]]
    return _mixed(measured, times, low, rows, np.mean)


def _mixed(
    measured: Measured, times: np.ndarray, rows: np.ndarray, like: np.ndarray, level: Any
) -> float | None:
    """Mean or median (`level`) over `rows` of each kind of request, weighed by their numbers in `like`.

    Medians so weighed stay what they are when the machine halts for a moment.
    """
    kinds, counts = np.unique(measured.request[like], return_counts=True)
    mine = [times[rows[measured.request[rows] == kind]] for kind in kinds]
    known = np.array([len(one) >= 2 for one in mine])
    if counts[known].sum() < 0.8 * counts.sum():
        return None
    return float(
        np.average([level(one) if len(one) else 0 for one in mine], weights=np.where(known, counts, 0))
    )


def _usual_server(measured: Measured) -> float | None:
    return sum(measured.usual.components.values()) if measured.usual.runs else None


def _share(now: float, before: float | None, all_now: float, all_before: float | None) -> float | None:
    """Which part of the growth of all is the growth of one."""
    if before is None or all_before is None or all_now - all_before <= 0:
        return None
    return min(max((now - before) / (all_now - all_before), 0.0), 1.0)


def _why(facts: dict[str, Any], limits: Thresholds) -> str:
    """Why this is a finding: history, growth or share; an empty string where it is none."""
    if not facts or facts["seconds"] < limits.noticeable or (facts["typical"] or 0) < limits.noticeable / 2:
        return ""
    for why, before, explained in (
        ("history", facts["usual"], facts["growth_explained"]),
        ("growth", facts["at_least_load"], facts["share_of_growth"]),
    ):
        if before is None or explained is None or explained < 0.5:
            continue
        if facts["seconds"] >= limits.grew * before and facts["seconds"] - before >= limits.noticeable / 2:
            return why
    return "share" if facts["share"] >= limits.dominates else ""


def _finding(measured: Measured, name: str, kind: str, facts: dict[str, Any], why: str) -> Finding:
    where = f" of {kind}" if kind else ""
    text = (
        f"{name} takes {percent(facts['share'])} of the target's time{where}: "
        f"{seconds(facts['seconds'])} per request"
    )
    if why == "history":
        text += f"; in {facts['usual_runs']} earlier runs it took {seconds(facts['usual'])}"
    if why == "growth":
        text += f"; under the least load it took {seconds(facts['at_least_load'])}"
    rates = [measured.offered(level) for level in measured.levels]
    means = [_mean(measured, name, level.rows) for level in measured.levels]
    if len(rates) > 1:
        shown = picture("line", rates, means, x_title="load (1/s)", y_title=f"{name} (s)")
    else:
        shares = {part: _mean(measured, part, measured.top.rows) for part in measured.components}
        shown = picture("bars", shares, shares.values(), x_title="part", y_title="time (s)", mark=name)
    # A part of one request only weighs as much as that request does.
    score = (
        facts["share"] if not kind else max(min(facts["share_of_all"], facts["share"]), 0.3 * facts["share"])
    )
    evidence = {**rounded(facts), "why": why, "request": kind, "is_rest": name == REST, "picture": shown}
    return Finding("component", name, float(score), text + ".", float(facts["share_of_response"]), evidence)


def _mean(measured: Measured, name: str, rows: np.ndarray) -> float:
    told = rows[measured.told[rows]]
    return float(measured.components[name][told].mean()) if len(told) else float("nan")
