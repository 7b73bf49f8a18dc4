"""More runs for an optimization whose effect the noise hides."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from access import audit
from access.models import User
from performance.comparison import Start
from performance.models import Optimization, OptimizationRun, WorkloadRun
from performance.optimization import MOST_TURNS, NotRecordable, Side, judge, sides_of
from performance.readings import measured


def ask_again(
    optimization: Optimization, *, by: User | str, now: datetime, most: int = MOST_TURNS
) -> list[str]:
    """Plan the runs that would show a change of 5 %, at most `most`; return the sides in their order.

    Where both sides are components that can still be loaded, they take turns, so that drift cancels.  A
    system that was changed in place can't be measured before its change any more: only `after` gets runs.

    Raises:
        NotRecordable: no run is left on one of the sides.
    """
    before, after = sides_of(optimization)
    if not before or not after:
        raise NotRecordable(f"{optimization} has no run left on one side, so there is nothing to add to.")
    needed = optimization.result.get("needed") or max(len(before), len(after)) + 2
    if can_go_back(before, after):
        missing = [max(needed - len(before), 1), max(needed - len(after), 1)]
        planned: list[str] = []
        while sum(missing) and len(planned) < most:
            for place, side in enumerate((Side.BEFORE, Side.AFTER)):
                if missing[place] and len(planned) < most:
                    missing[place] -= 1
                    planned.append(str(side))
    else:
        planned = [str(Side.AFTER)] * min(max(needed - len(after), 1), most)
    optimization.result = {**optimization.result, "planned": planned, "stopped": ""}
    optimization.tries += 1
    with transaction.atomic():
        optimization.save(update_fields=["result", "tries"])
        audit.record(
            "performance.optimization.retry",
            actor=by,
            project=optimization.workload.project,
            target=optimization,
            runs=len(planned),
        )
    return planned


def can_go_back(before: list[WorkloadRun], after: list[WorkloadRun]) -> bool:
    """Whether the state before the change can still be measured: it is a component of its own."""
    sides = {run.component_id for run in before}, {run.component_id for run in after}
    return bool(before and after) and not sides[0] & sides[1]


def next_retry(
    optimization: Optimization, *, start: Start, now: datetime, driver: str = ""
) -> WorkloadRun | None:
    """Start the run whose turn it is; None while one goes on, and when nothing is left to do.

    All of them are made, whatever the first ones show: who stops at the first good sight sees too much.  Only
    a run that measured nothing ends it, since the target is then gone.
    """
    with transaction.atomic():
        optimization = Optimization.objects.select_for_update().get(pk=optimization.pk)
        planned = list(optimization.result.get("planned") or [])
        if not planned:
            return None
        last = _last(optimization)
        if last is not None and last.run.is_running:
            return None
        if last is not None and not measured(last):
            _stop(optimization, last)
            return None
        return _start(optimization, planned, start=start, now=now, driver=driver)


def settle_retry(optimization: Optimization, *, now: datetime) -> None:
    """Judge once more when the last planned run has ended; safe to repeat."""
    last = _last(optimization)
    if optimization.result.get("planned") or (last is not None and last.run.is_running):
        return
    if last is not None and not measured(last):
        _stop(optimization, last)
    judge(optimization, now=now)


def _start(
    optimization: Optimization, planned: list[str], *, start: Start, now: datetime, driver: str
) -> WorkloadRun:
    side = planned[0]
    before, after = sides_of(optimization)
    like = (before if side == Side.BEFORE else after)[-1]
    run = start(
        optimization.workload,
        component=like.component,
        purpose=WorkloadRun.Purpose.OPTIMIZATION,
        triggered_by=optimization.created_by,
        branch=like.run.branch,
        commit_sha=like.run.commit_sha,
        metadata={"optimization": optimization.pk, "side": side},
        now=now,
        driver=driver,
    )
    OptimizationRun.objects.create(optimization=optimization, run=run, side=side)
    optimization.result = {**optimization.result, "planned": planned[1:]}
    optimization.save(update_fields=["result"])
    return run


def _last(optimization: Optimization) -> WorkloadRun | None:
    """The last run that a retry has started."""
    sides = optimization.sides.select_related("run__run").order_by("-pk")
    made = (one.run for one in sides if one.run.run.metadata.get("optimization") == optimization.pk)
    return next(made, None)


def _stop(optimization: Optimization, last: WorkloadRun) -> None:
    why = f"{last} measured nothing: {last.run.reason or last.run.status}"
    optimization.result = {**optimization.result, "planned": [], "stopped": why}
    optimization.save(update_fields=["result"])
