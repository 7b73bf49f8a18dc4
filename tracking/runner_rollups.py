"""Queue and execution by kind of runner and hour, kept ready so that the CI page reads days, not jobs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, timedelta
from typing import Any
from zlib import crc32

from django.db import connection

from analysis import sketches
from tracking.models import RunnerDay, RunnerTiming, TestRun, WorkflowJob

Key = tuple[str, str]  # runner group, labels


@dataclass
class _Sum:
    queue: list[float] = field(default_factory=list)
    execution: list[float] = field(default_factory=list)
    hours: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(lambda: [0, 0.0]))


def keep_runners(run: TestRun) -> None:
    """Write the figures of a closed run's jobs by kind of runner, and count its day again."""
    sums: defaultdict[Key, _Sum] = defaultdict(_Sum)
    jobs = WorkflowJob.objects.filter(attempt__workflow__run=run, total__isnull=False)
    stamps = ("runner_group", "labels", "queue", "execution", "created_at")
    for group, labels, queue, execution, created_at in jobs.values_list(*stamps).iterator(chunk_size=1000):
        one = sums[(group, ", ".join(sorted(labels))[:255])]
        one.execution.append(execution or 0.0)
        if queue is not None:
            one.queue.append(queue)
            hour = one.hours[str(created_at.astimezone(UTC).hour)]
            hour[0] += 1
            hour[1] += queue
    RunnerTiming.objects.filter(run=run).delete()
    RunnerTiming.objects.bulk_create(
        RunnerTiming(run=run, runner_group=group, labels=labels, **_figures(one))
        for (group, labels), one in sums.items()
    )
    recount_runner_day(run)


def recount_runner_day(run: TestRun) -> None:
    """Count the day (UTC) on which `run` started again, for its project."""
    begin = run.started_at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if connection.vendor == "postgresql":  # of two runs that close at once, the second waits for the first
        # Not by the project's row: who writes a report holds it, and then wants the run that we hold.
        with connection.cursor() as cursor:
            place = crc32(f"runners of {run.project_id} on {begin.date()}".encode())
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [place])
    timings = RunnerTiming.objects.filter(
        run__in=TestRun.objects.in_project(run.project)
        .counted()
        .filter(started_at__gte=begin, started_at__lt=begin + timedelta(days=1))
    )
    grouped: defaultdict[Key, list[RunnerTiming]] = defaultdict(list)
    for timing in timings:
        grouped[(timing.runner_group, timing.labels)].append(timing)
    day = {"project": run.project, "day": begin.date()}
    RunnerDay.objects.filter(**day).delete()
    RunnerDay.objects.bulk_create(
        RunnerDay(**day, runner_group=group, labels=labels, **merged(rows))
        for (group, labels), rows in grouped.items()
    )


def merged(rows: Iterable[RunnerTiming | RunnerDay]) -> dict[str, Any]:
    """Return the figures of several rows as those of one."""
    rows = list(rows)
    hours: defaultdict[str, list[float]] = defaultdict(lambda: [0, 0.0])
    for row in rows:
        for hour, (count, seconds) in row.hours.items():
            hours[hour][0] += count
            hours[hour][1] += seconds
    return {
        "jobs": sum(row.jobs for row in rows),
        "queue_sum": sum(row.queue_sum for row in rows),
        "execution_sum": sum(row.execution_sum for row in rows),
        "queue_sketch": sketches.merge(bytes(row.queue_sketch) for row in rows),
        "execution_sketch": sketches.merge(bytes(row.execution_sketch) for row in rows),
        "hours": dict(hours),
    }


def by_runner(project: Any, since: date) -> list[RunnerDay]:
    """Return one unsaved row for each kind of runner since a day, most jobs first."""
    grouped: defaultdict[Key, list[RunnerDay]] = defaultdict(list)
    for row in RunnerDay.objects.filter(project=project, day__gte=since):
        grouped[(row.runner_group, row.labels)].append(row)
    rows = [
        RunnerDay(project=project, day=since, runner_group=group, labels=labels, **merged(found))
        for (group, labels), found in grouped.items()
    ]
    return sorted(rows, key=lambda row: (-row.jobs, row.runner_group, row.labels))


def _figures(one: _Sum) -> dict[str, Any]:
    return {
        "jobs": len(one.execution),
        "queue_sum": sum(one.queue),
        "execution_sum": sum(one.execution),
        "queue_sketch": sketches.sketch(one.queue),
        "execution_sketch": sketches.sketch(one.execution),
        "hours": dict(one.hours),
    }
