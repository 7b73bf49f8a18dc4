"""What the CI page shows: queueing by runner and hour, what waits now, what the asking costs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q, Sum

from access.models import Project
from analysis.sketches import quantile_of
from dashboards.paging import Order
from tracking.models import CallCount, RunnerDay, WebhookDelivery, WorkflowRun
from tracking.runner_rollups import by_runner

DAYS = 7
WAITING_SHOWN = 20
ORDER = Order((("id", True),))
COLUMNS = [
    *("test_run_id", "position", "name", "service", "github_run_id", "attempt", "status", "conclusion"),
    *("environment", "sent_at", "queue", "execution", "total", "quality", "reason", "url"),
]


@dataclass(frozen=True, slots=True)
class RunnerRow:
    """One kind of runner: jobs, and their times in seconds."""

    name: str
    jobs: int
    queue_mean: float | None
    queue_p50: float | None
    queue_p95: float | None
    execution_p50: float | None
    share: float | None  # of queue time in all time


@dataclass(frozen=True, slots=True)
class HourRow:
    """One hour of the day (UTC): jobs that became ready in it, and how long they waited on average."""

    hour: int
    jobs: int
    queue_mean: float | None


def runner_rows(project: Project, now: datetime) -> tuple[list[RunnerRow], list[HourRow]]:
    """Return the kinds of runner and the hours of the day over the last week (one query)."""
    found = by_runner(project, (now - timedelta(days=DAYS)).date())
    hours = []
    for hour in range(24):
        counted = [row.hours[str(hour)] for row in found if str(hour) in row.hours]
        jobs = int(sum(count for count, _ in counted))
        waited = sum(seconds for _, seconds in counted)
        hours.append(HourRow(hour, jobs, waited / jobs if jobs else None))
    return [_runner(row) for row in found], hours


def waiting(project: Project) -> tuple[int, list[WorkflowRun]]:
    """Return how many workflows wait for a runner just now, and the oldest of them (two queries)."""
    waits = Q(attempts__isnull=True) | Q(
        attempts__status__in=["requested", "queued", "waiting", "pending", ""]
    )
    opened = WorkflowRun.objects.in_flight().filter(waits, project=project)
    shown = opened.select_related("run", "run__environment").order_by("id")[:WAITING_SHOWN]
    return opened.count(), list(shown)


def calls(now: datetime) -> dict[str, Any]:
    """Return the sums of the last 24 hours over all identities (one query)."""
    sums = CallCount.objects.filter(hour__gt=now - timedelta(hours=25)).aggregate(
        calls=Sum("calls"), not_modified=Sum("not_modified"), limited=Sum("limited"), waited=Sum("waited")
    )
    return {name: value or 0 for name, value in sums.items()}


def deliveries(project: Project, now: datetime) -> tuple[dict[str, int], list[WebhookDelivery]]:
    """Return the last 24 hours' messages by what became of them, and those that failed (two queries)."""
    ours = WebhookDelivery.objects.filter(Q(project=project) | Q(project=None))
    recent = ours.filter(received_at__gt=now - timedelta(hours=24))
    counts = dict(recent.order_by().values_list("state").annotate(Count("pk")))
    failed = recent.filter(state="failed").defer("body")[:5]
    return {state: counts.get(state, 0) for state in WebhookDelivery.State.values}, list(failed)


def plain(workflow: WorkflowRun) -> dict[str, Any]:
    """Return a row for a file: snake_case keys, seconds, times in UTC."""
    attempt = latest(workflow)
    return {
        "test_run_id": workflow.run.test_run_id,
        "position": workflow.position,
        "name": workflow.name,
        "service": workflow.service,
        "github_run_id": workflow.github_run_id,
        "attempt": workflow.attempt,
        "status": attempt.status if attempt else "",
        "conclusion": workflow.conclusion,
        "environment": workflow.run.environment.name,
        "sent_at": workflow.sent_at,
        "queue": attempt.queue if attempt else None,
        "execution": attempt.execution if attempt else None,
        "total": attempt.total if attempt else None,
        "quality": attempt.quality if attempt else "",
        "reason": workflow.reason,
        "url": workflow.url,
    }


def latest(workflow: WorkflowRun) -> Any:
    """The attempt that decides, from the prefetched ones."""
    return max(workflow.attempts.all(), key=lambda attempt: attempt.number, default=None)


def stream(workflows: Any, limit: int) -> Iterable[dict[str, Any]]:
    """Yield rows for a file, so that memory stays small."""
    return (plain(workflow) for workflow in workflows[:limit].iterator(chunk_size=200))


def hours_figure_rows(hours: Sequence[HourRow]) -> list[HourRow]:
    """Only hours in which something was ready; none where nothing ran at all."""
    return [row for row in hours if row.jobs]


def _runner(row: RunnerDay) -> RunnerRow:
    everything = row.queue_sum + row.execution_sum
    return RunnerRow(
        name=" · ".join(filter(None, (row.runner_group, row.labels))) or "this machine",
        jobs=row.jobs,
        queue_mean=row.queue_sum / row.jobs if row.jobs else None,
        queue_p50=quantile_of(bytes(row.queue_sketch), 0.5),
        queue_p95=quantile_of(bytes(row.queue_sketch), 0.95),
        execution_p50=quantile_of(bytes(row.execution_sketch), 0.5),
        share=row.queue_sum / everything if everything else None,
    )
