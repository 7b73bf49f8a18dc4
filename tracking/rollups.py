"""Keep the figures of a closed run, and of its day, ready to be read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, timedelta
from typing import Any

from django.db import connection, transaction

from analysis import sketches
from tracking.models import DayTiming, RunnerTiming, RunTiming, TestRun, WorkflowAttempt
from tracking.runner_rollups import keep_runners, recount_runner_day

PARTS = ("queue", "execution", "total")


def keep_figures(run: TestRun) -> None:
    """Write the figures of a closed run and count its day again.

    Counting again, not adding: a run that a later attempt reopened closes twice and counts once.
    """
    with transaction.atomic():
        keep_own_figures(run)
        recount_day(run)
        keep_runners(run)


def keep_own_figures(run: TestRun) -> None:
    """Write the figures of a closed run, and leave its day as it is."""
    rows = list(WorkflowAttempt.objects.filter(workflow__run=run).newest().timed().values_list(*PARTS))
    columns = {
        part: [row[number] for row in rows if row[number] is not None] for number, part in enumerate(PARTS)
    }
    figures: dict[str, Any] = {"timed": len(rows)}
    for part, values in columns.items():
        figures[f"{part}_sum"] = sum(values)
        figures[f"{part}_sketch"] = sketches.sketch(values)
    RunTiming.objects.update_or_create(run=run, defaults=figures)


def forget_figures(run: TestRun) -> None:
    """Take a run that was opened again out of its day."""
    with transaction.atomic():
        RunTiming.objects.filter(run=run).delete()
        RunnerTiming.objects.filter(run=run).delete()
        recount_day(run)
        recount_runner_day(run)


def recount_day(run: TestRun) -> None:
    """Count the day (UTC) on which `run` started again, for its definition and environment."""
    # Not `started_at__date`: that would mean the day in the reader's time zone.
    begin = run.started_at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    key = {"definition": run.definition, "environment": run.environment, "day": begin.date()}
    DayTiming.objects.get_or_create(**key, defaults={"project": run.project})
    if connection.vendor == "postgresql":  # of two runs that close at once, the second waits for the first
        DayTiming.objects.select_for_update().get(**key)
    runs = list(
        TestRun.objects.ended()
        .counted()
        .filter(
            definition=run.definition,
            environment=run.environment,
            started_at__gte=begin,
            started_at__lt=begin + timedelta(days=1),
        )
        .select_related("timing")
        .defer("plan", "metadata")
    )
    DayTiming.objects.filter(**key).update(**_statuses(runs), **_merged(runs), **_durations(runs))


def _statuses(runs: Iterable[TestRun]) -> dict[str, int]:
    counted = [run.status for run in runs]
    return {status: counted.count(status) for status in ("passed", "failed", "cancelled", "error")}


def _merged(runs: Iterable[TestRun]) -> dict[str, Any]:
    timings = [run.timing for run in runs if hasattr(run, "timing")]
    merged: dict[str, Any] = {"timed": sum(timing.timed for timing in timings)}
    for part in PARTS:
        merged[f"{part}_sum"] = sum(getattr(timing, f"{part}_sum") for timing in timings)
        merged[f"{part}_sketch"] = sketches.merge(getattr(timing, f"{part}_sketch") for timing in timings)
    return merged


def _durations(runs: Iterable[TestRun]) -> dict[str, Any]:
    """Wall times of the runs that came to a result; a broken or cancelled one says nothing about speed."""
    seconds = [
        run.duration.total_seconds() for run in runs if run.status in ("passed", "failed") and run.duration
    ]
    return {"duration_sum": sum(seconds), "duration_sketch": sketches.sketch(seconds)}
