"""When each workflow of a run queued and ran, as bars on one axis of clock time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dashboards.states import State, workflow_state
from tracking.models import WorkflowAttempt, WorkflowRun

STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400)  # seconds
MOST_TICKS = 6
COLUMNS = [  # of a download, in the order of `plain`
    "position",
    "name",
    "status",
    "conclusion",
    "attempt",
    "github_run_id",
    "queued_at",
    "first_job_at",
    "completed_at",
    "queue",
    "execution",
    "total",
    "method",
    "quality",
    "reason",
]


@dataclass(frozen=True, slots=True)
class Bar:
    """A piece of the axis, in percent of its length."""

    left: float
    width: float


@dataclass(frozen=True, slots=True)
class Line:
    """One workflow: state, bars, and seconds (None for what did not happen)."""

    workflow: WorkflowRun
    attempt: WorkflowAttempt | None
    state: State
    queue_bar: Bar | None
    execution_bar: Bar | None
    queue: float | None
    execution: float | None
    total: float | None
    is_queueing: bool
    is_executing: bool


@dataclass(frozen=True, slots=True)
class Tick:
    at: datetime
    left: float


@dataclass(frozen=True, slots=True)
class Timeline:
    lines: list[Line]
    ticks: list[Tick]
    has_seconds: bool


def draw(
    workflows: Iterable[WorkflowRun],
    attempts: dict[int, WorkflowAttempt],
    *,
    start: datetime,
    now: datetime,
    end: datetime | None = None,
) -> Timeline:
    """Return the bars of `workflows`; `attempts` holds the latest attempt by the workflow's key.

    The axis goes from `start` to `end`; without it to the last end, or to `now` while something is open.
    """
    pairs = [(workflow, attempts.get(workflow.pk)) for workflow in workflows]
    end = end or last_end(pairs, start, now)
    ticks, step = _ticks(start, end)
    return Timeline([_line(*pair, start, end, now) for pair in pairs], ticks, step < 60)


def plain(line: Line) -> dict[str, Any]:
    """Return a line for a file: snake_case keys, seconds, times in UTC."""
    workflow, attempt = line.workflow, line.attempt
    return {
        "position": workflow.position,
        "name": workflow.name,
        "status": line.state.word,
        "conclusion": workflow.conclusion,
        "attempt": workflow.attempt,
        "github_run_id": workflow.github_run_id,
        "queued_at": attempt.run_started_at if attempt else None,
        "first_job_at": attempt.first_job_at if attempt else None,
        "completed_at": attempt.completed_at if attempt else None,
        "queue": None if line.is_queueing else line.queue,
        "execution": None if line.is_executing else line.execution,
        "total": attempt.total if attempt else None,
        "method": attempt.method if attempt else "",
        "quality": attempt.quality if attempt else "",
        "reason": workflow.reason,
    }


def last_end(
    pairs: list[tuple[WorkflowRun, WorkflowAttempt | None]], start: datetime, now: datetime
) -> datetime:
    """Return when the last of the workflows ended; `now` while one is open."""
    ends = [attempt.completed_at for _, attempt in pairs if attempt and attempt.completed_at]
    if any(workflow.is_open for workflow, _ in pairs):
        ends.append(now)
    return max([*ends, start + timedelta(seconds=1)])


def _line(
    workflow: WorkflowRun, attempt: WorkflowAttempt | None, start: datetime, end: datetime, now: datetime
) -> Line:
    queued = (attempt.run_started_at or attempt.created_at) if attempt else None
    began = attempt.first_job_at if attempt else None
    ended = attempt.completed_at if attempt else None
    until = ended or (now if workflow.is_open else None)
    is_queueing = workflow.is_open and attempt is not None and began is None
    is_executing = workflow.is_open and began is not None and ended is None
    so_far = _seconds(queued, now) if is_queueing else _seconds(queued, began)
    return Line(
        workflow=workflow,
        attempt=attempt,
        state=workflow_state(workflow, attempt),
        queue_bar=_bar(queued, began or (until if attempt else None), start, end),
        execution_bar=_bar(began, until, start, end),
        queue=so_far if is_queueing or is_executing else (attempt.queue if attempt else None),
        execution=_seconds(began, now) if is_executing else (attempt.execution if attempt else None),
        total=attempt.total if attempt else None,
        is_queueing=is_queueing,
        is_executing=is_executing,
    )


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else max((end - start).total_seconds(), 0.0)


def _bar(left: datetime | None, right: datetime | None, start: datetime, end: datetime) -> Bar | None:
    if left is None or right is None or right < left:
        return None
    begin, finish = _percent(left, start, end), _percent(right, start, end)
    return Bar(round(begin, 3), round(max(finish - begin, 0.15), 3))  # never so thin that it can't be seen


def _percent(at: datetime, start: datetime, end: datetime) -> float:
    return min(max((at - start) / (end - start) * 100, 0.0), 100.0)


def _ticks(start: datetime, end: datetime) -> tuple[list[Tick], int]:
    length = (end - start).total_seconds()
    step = next(
        (step for step in STEPS if length / step <= MOST_TICKS), max(STEPS[-1], round(length / MOST_TICKS))
    )
    first = (int(start.timestamp()) // step + 1) * step
    moments = [
        datetime.fromtimestamp(at, start.tzinfo) for at in range(first, int(end.timestamp()) + 1, step)
    ]
    # A label that begins in the last part of the axis would be cut off.
    return [Tick(at, left) for at in moments if (left := round(_percent(at, start, end), 3)) < 95], step
