"""What follows from the end of a workload run: its series are watched, and what it belongs to goes on."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError

from analysis.wording import count
from performance.changes import Watched, watch_workload
from performance.comparison import Start, fail_comparison, next_turn
from performance.models import Comparison, Optimization, WorkloadRun
from performance.readings import measured
from performance.retrying import next_retry, settle_retry
from performance.specification import FaultySpec
from tracking.plan import NotRunnable
from tracking.tracker import note

FRESH = timedelta(days=1)  # a run that ended longer ago is history: no load is put on anything because of it


def after_run(
    workload_run: WorkloadRun, *, start: Start, now: datetime, may_confirm: bool
) -> list[WorkloadRun]:
    """Do what follows from a run that has ended; return the runs that were started and want a driver.

    Safe to repeat.  `may_confirm` allows one run more where a change is doubtful.
    """
    started = [*_go_on(workload_run, start=start, now=now)]
    if measured(workload_run):
        watched = watch_workload(
            workload_run.workload,
            component=workload_run.component,
            branch=workload_run.run.branch,
            now=now,
        )
        if may_confirm and not started:
            started += _confirm(workload_run, watched, start=start, now=now)
    WorkloadRun.objects.filter(pk=workload_run.pk).update(watched_at=now)
    return started


def advance_comparison(
    comparison: Comparison, *, start: Start, now: datetime, driver: str = ""
) -> WorkloadRun | None:
    """Start the next turn; a comparison whose turns can't be started any more has failed."""
    try:
        return next_turn(comparison, start=start, now=now, driver=driver)
    except (NotRunnable, FaultySpec) as refusal:
        fail_comparison(comparison, str(refusal), now=now)
        return None


def advance_retry(
    optimization: Optimization, *, start: Start, now: datetime, driver: str = ""
) -> WorkloadRun | None:
    """Start the next run of a retry, or judge once more where none is left."""
    try:
        run = next_retry(optimization, start=start, now=now, driver=driver)
    except (NotRunnable, FaultySpec) as refusal:
        optimization.refresh_from_db()
        optimization.result = {**optimization.result, "planned": [], "stopped": str(refusal)}
        optimization.save(update_fields=["result"])
        run = None
    if run is None:
        optimization.refresh_from_db()
        settle_retry(optimization, now=now)
    return run


def _go_on(workload_run: WorkloadRun, *, start: Start, now: datetime) -> list[WorkloadRun]:
    metadata = workload_run.run.metadata
    found: list[WorkloadRun | None] = []
    if comparison := _named(workload_run.workload.comparisons, metadata.get("comparison")):
        found.append(advance_comparison(comparison, start=start, now=now))
    if optimization := _named(workload_run.workload.optimizations, metadata.get("optimization")):
        found.append(advance_retry(optimization, start=start, now=now))
    return [run for run in found if run]


def _named(rows: Any, key: Any) -> Any:
    """The row of that primary key; None for what can't be one, as anybody may send metadata."""
    try:
        return rows.filter(pk=key).first()
    except (ValidationError, ValueError, TypeError, OverflowError):
        return None


def _confirm(
    workload_run: WorkloadRun, watched: Watched, *, start: Start, now: datetime
) -> list[WorkloadRun]:
    """Make one run that confirms all doubts at once, or does not."""
    run = workload_run.run
    if not watched.doubts or workload_run.tool or run.started_at < now - FRESH:
        return []
    try:
        made = start(
            workload_run.workload,
            component=workload_run.component,
            triggered_by="the watch over changes",
            branch=run.branch,
            commit_sha=run.commit_sha,
            metadata={"confirms": [change.pk for change in watched.doubts]},
            now=now,
        )
    except (NotRunnable, FaultySpec) as refusal:
        note(run, "watched", f"A doubtful change could not be confirmed by another run: {refusal}", now)
        return []
    note(
        run, "watched", f"{count(len(watched.doubts), 'doubtful change')}: {made} is made to look again.", now
    )
    return [made]
