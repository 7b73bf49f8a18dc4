"""What was changed to make a system better, the runs before and after, and whether it helped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from access import audit
from access.models import User
from performance.judging import Judged, judge_sides, overall
from performance.models import Optimization, OptimizationRun, Workload, WorkloadRun
from performance.power import runs_needed
from performance.readings import measured
from performance.verdicts import NO_PROOF, SURE, Noise

PRIMARY = "latency.p95"
MOST_TURNS = 10  # runs that one retry makes, on both sides together
EFFECT = 0.05  # "to see 5 % you need n runs"
Side = OptimizationRun.Side


class NotRecordable(Exception):
    """These runs tell nothing of a change; the message says why."""


def record_optimization(
    workload: Workload,
    name: str,
    *,
    before: Sequence[WorkloadRun],
    after: Sequence[WorkloadRun],
    description: str = "",
    commit_sha: str = "",
    by: User | str,
    now: datetime,
) -> Optimization:
    """Keep what was changed with its runs, and judge it.

    Raises:
        NotRecordable: nothing was stored.
    """
    _demand_fit(workload, before, after)
    if workload.optimizations.filter(name=name).exists():
        raise NotRecordable(f"{workload} has an optimization {name!r} already; give this one another name.")
    with transaction.atomic():
        optimization = Optimization.objects.create(
            workload=workload,
            name=name,
            description=description,
            commit_sha=commit_sha or after[-1].run.commit_sha,
            created_by=str(by)[:255],
            created_at=now,
        )
        for side, runs in ((Side.BEFORE, before), (Side.AFTER, after)):
            for run in runs:
                OptimizationRun.objects.create(optimization=optimization, run=run, side=side)
        audit.record("performance.optimization.add", actor=by, project=workload.project, target=optimization)
        judge(optimization, now=now)
    return optimization


def judge(optimization: Optimization, *, now: datetime) -> Optimization:
    """Hold the runs after against those before, and keep verdict and figures; safe to repeat.

    Each try is one more look at the same question: all together may err as often as one (Bonferroni).
    """
    before, after = sides_of(optimization)
    sure = 1 - (1 - SURE) / (1 + optimization.tries)
    judged = judge_sides(optimization.workload, before, after, by_request=True, sure=sure)
    verdict, reason = overall(judged, PRIMARY)
    first = next((one for one in judged if str(one.yardstick) == PRIMARY), None)
    kept = {name: optimization.result[name] for name in ("planned", "stopped") if name in optimization.result}
    optimization.verdict = verdict
    optimization.result = {
        **kept,
        "metric": PRIMARY,
        "sure": sure,
        "reason": reason,
        "figures": [one.as_json() for one in judged],
        "needed": _needed(first, len(before), len(after)),
        "needed_for": EFFECT,
    }
    optimization.judged_at = now
    optimization.save(update_fields=["verdict", "result", "judged_at"])
    return optimization


def sides_of(optimization: Optimization) -> tuple[list[WorkloadRun], list[WorkloadRun]]:
    """Return the runs before and after that may stand for their side."""
    found: dict[str, list[WorkloadRun]] = {Side.BEFORE: [], Side.AFTER: []}
    for one in optimization.sides.select_related("run__run", "run__component").order_by("run__started_at"):
        if measured(one.run):
            found[one.side].append(one.run)
    return found[Side.BEFORE], found[Side.AFTER]


def figure_of(optimization: Optimization, metric: str = PRIMARY) -> dict[str, Any]:
    """Return the stored figure of one metric over all requests; empty where it was not measured."""
    figures = optimization.result.get("figures", [])
    return next((one for one in figures if one["metric"] == metric and not one["request"]), {})


def describe(optimization: Optimization) -> str:
    """The verdict in one sentence, with what it rests on."""
    figure, result = figure_of(optimization), optimization.result
    if not figure or figure.get("low") is None:
        return f"{optimization.verdict or NO_PROOF}: {result.get('reason') or 'nothing was measured'}."
    told = (
        f"{optimization.verdict}: {result['metric']} {figure['ratio']:.3f} × "
        f"({figure['low']:.3f} to {figure['high']:.3f}), {figure['n_before']} runs before and "
        f"{figure['n_after']} after, effect size {figure['delta']:+.2f} of at most 1; "
        f"a change of {figure['smallest']:.1%} would have been seen"
    )
    if result.get("reason"):
        told += f"; {result['reason']}"
    if optimization.verdict == NO_PROOF and result.get("needed"):
        told += f"; to see {result['needed_for']:.0%} you need {result['needed']} runs on each side"
    return told + "."


def _needed(first: Judged | None, before: int, after: int) -> int | None:
    """Runs on each side that would show EFFECT, by the spread of these and of earlier identical ones."""
    if first is None or not first.verdict.error or not first.verdict.freedom:
        return None
    spread = first.verdict.error / (1 / before + 1 / after) ** 0.5
    return runs_needed(EFFECT, Noise(spread, first.verdict.freedom))


def _runs(optimization: Optimization) -> list[WorkloadRun]:
    return [one.run for one in optimization.sides.select_related("run__run")]


def _demand_fit(workload: Workload, *sides: Sequence[WorkloadRun]) -> None:
    before, after = sides
    if not before or not after:
        raise NotRecordable("Name at least one run before the change and one after it.")
    everything = [*before, *after]
    for run in everything:
        if run.workload_id != workload.pk:
            raise NotRecordable(f"{run} is a run of {run.workload}, not of {workload}.")
        if not measured(run):
            raise NotRecordable(f"{run} was not measured whole, so it proves nothing; name another one.")
    if {run.pk for run in before} & {run.pk for run in after}:
        raise NotRecordable("A run is either before the change or after it.")
    if len({run.version for run in everything}) > 1:
        raise NotRecordable(
            f"The load of {workload} was changed between these runs, so they can't be compared; "
            "make the runs before again with the load as it is now."
        )
