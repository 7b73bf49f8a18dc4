"""What the page of one run shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Case, IntegerField, QuerySet, Value, When

from dashboards.timeline import Timeline, draw
from tracking.history import usual_duration
from tracking.models import DayTiming, RunEvent, TestRun, WorkflowAttempt, WorkflowRun
from tracking.remaining import seconds_left
from tracking.timing import METHODS, QUALITIES, RunTimes, summarize_attempts

MOST_LINES = 500
MOST_EVENTS = 200
NO_PROGRESS = {"workflows": 0, "done": 0, "bad": 0, "cancelled": 0, "unsent": 0}


@dataclass(frozen=True, slots=True)
class RunPage:
    """`left` is about how many seconds the run will still take; None where that can't be said."""

    run: TestRun
    progress: dict[str, int]
    timeline: Timeline
    times: RunTimes
    events: list[RunEvent]
    event_count: int
    reruns: list[TestRun]
    left: float | None

    @property
    def hidden(self) -> int:
        """Workflows beyond those that the timeline shows."""
        return self.progress["workflows"] - len(self.timeline.lines)

    @property
    def methods(self) -> list[str]:
        """How the times were obtained, in words."""
        return [METHODS.get(word, word) for word in self.times.method.split(", ") if word]

    @property
    def quality(self) -> str:
        return QUALITIES.get(self.times.quality, self.times.quality)


def load(run: TestRun, now: datetime, *, failed_first: bool = True, most: int = MOST_LINES) -> RunPage:
    """Return the page of `run` in a fixed number of queries."""
    workflows = list(_ordered(run, failed_first)[:most])
    attempts = {row.workflow_id: row for row in WorkflowAttempt.objects.filter(workflow__run=run).newest()}
    progress = run.workflow_runs.progress().get(run.pk, NO_PROGRESS)
    events = list(run.events.order_by("-id")[:MOST_EVENTS])
    return RunPage(
        run=run,
        progress=progress,
        timeline=draw(workflows, attempts, start=run.started_at, now=now),
        times=summarize_attempts(
            attempts.values(), workflows=progress["workflows"], completed=progress["done"]
        ),
        events=events,
        event_count=run.events.count(),
        reruns=list(
            run.reruns.order_by("-started_at").only("test_run_id", "status", "started_at", "rerun_of")[:20]
        ),
        left=_left(run, progress, now) if run.is_running else None,
    )


def _ordered(run: TestRun, failed_first: bool) -> QuerySet[WorkflowRun]:
    workflows = WorkflowRun.objects.filter(run=run).defer("inputs")
    if not failed_first:
        return workflows.order_by("position")
    rank = Case(
        When(conclusion__in=["", "success", "neutral", "skipped", "cancelled"], then=Value(1)),
        default=Value(0),
        output_field=IntegerField(),
    )
    return workflows.order_by(rank, "position")


def _left(run: TestRun, progress: dict[str, int], now: datetime) -> float | None:
    elapsed = run.duration_so_far(now).total_seconds()
    since = now.astimezone(UTC).date() - timedelta(days=30)
    days = DayTiming.objects.filter(
        definition=run.definition_id, environment=run.environment_id, day__gte=since
    )
    return seconds_left(
        done=progress["done"],
        workflows=progress["workflows"],
        elapsed=elapsed,
        usual=usual_duration(days.only("duration_sketch")),
    )
