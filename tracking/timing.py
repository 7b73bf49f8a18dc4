"""Queue, execution and total time of jobs, attempts and runs, each with how it was obtained.

Definitions (docs/metrics.md gives them with their reasons):

=========  ==============================  =====================================================
quantity   of a job                        of an attempt
=========  ==============================  =====================================================
queue      started_at - created_at         first executed job's started_at - run_started_at
execution  completed_at - started_at       last completed_at - first started_at, executed jobs
total      completed_at - created_at       last completed_at - run_started_at
=========  ==============================  =====================================================

A job *executed* if it completed, was not skipped, had a runner, and did not end before its attempt
began (a partial re-run lists the old jobs again).  What did not execute has no time; never zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from analysis.quantiles import Summary, summarize
from tracking.models import TestRun, WorkflowAttempt

METHODS = {
    "process": "clock of the machine that ran it",
    "api": "stamps of the CI service, as its API and its messages give them",
}
# From best to worst; a sum is as good as its worst part.
QUALITIES = {
    "exact": "read from the clock at the moment itself",
    "second": "to the second, as the service gives it",
    "fallback": "the jobs' stamps are missing; from the workflow's own",
    "adjusted": "the clocks disagreed: a negative time was set to zero, the raw stamps are kept",
}
_CLOCK_QUALITY = {"process": "exact"}


class JobStamps(Protocol):
    """What `time_job` reads of a job; both our rows and a service's answers have it."""

    @property
    def status(self) -> str: ...
    @property
    def conclusion(self) -> str: ...
    @property
    def created_at(self) -> datetime | None: ...
    @property
    def started_at(self) -> datetime | None: ...
    @property
    def completed_at(self) -> datetime | None: ...
    @property
    def runner_id(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds, or None for what did not happen or can't be known."""

    queue: float | None = None
    execution: float | None = None
    total: float | None = None
    method: str = ""
    quality: str = ""


@dataclass(frozen=True, slots=True)
class RunTimes:
    """The times of a run's workflows, by their latest attempts; summaries in seconds."""

    workflows: int
    completed: int
    queue: Summary | None
    execution: Summary | None
    total: Summary | None
    queue_share: float | None  # sum of queue time / sum of total time, 0 to 1
    quality: str
    method: str


def executed(job: JobStamps, attempt_started_at: datetime | None) -> bool:
    """Whether the job really ran in this attempt."""
    if job.status != "completed" or job.conclusion == "skipped" or not job.runner_id:
        return False
    if job.started_at is None or job.completed_at is None:
        return False
    return attempt_started_at is None or job.completed_at >= attempt_started_at


def time_job(job: JobStamps, attempt_started_at: datetime | None, *, clock: str) -> Times:
    """Return the times of one job of an attempt that began at `attempt_started_at`."""
    if not executed(job, attempt_started_at):
        return Times()
    return _times(job.created_at, job.started_at, job.completed_at, clock=clock)


def time_attempt(
    jobs: Sequence[JobStamps],
    *,
    run_started_at: datetime | None,
    completed_at: datetime | None,
    clock: str,
) -> Times:
    """Return the times of one attempt from its jobs.

    `completed_at` (when completion was first seen) serves only where jobs ran but their stamps
    are unknown; an attempt none of whose jobs ran has no times.
    """
    ran = [job for job in jobs if executed(job, run_started_at)]
    if ran:
        first = min(job.started_at for job in ran if job.started_at)
        last = max(job.completed_at for job in ran if job.completed_at)
        return _times(run_started_at, first, last, clock=clock)
    if jobs or run_started_at is None or completed_at is None:
        return Times()
    total = (completed_at - run_started_at).total_seconds()
    return Times(None, None, max(total, 0.0), clock, "fallback")


def time_run(run: TestRun) -> RunTimes:
    """Return where the time of `run` went, over the latest attempt of each workflow (one query each)."""
    workflows = run.workflow_runs.all()
    attempts = WorkflowAttempt.objects.filter(workflow__run=run).newest()
    return summarize_attempts(
        attempts, workflows=workflows.count(), completed=workflows.exclude(conclusion="").count()
    )


def summarize_attempts(attempts: Iterable[WorkflowAttempt], *, workflows: int, completed: int) -> RunTimes:
    """Return the summary of completed attempts; those in which nothing ran count in no time."""
    timed = [attempt for attempt in attempts if attempt.completed_at and attempt.total is not None]
    queue = [attempt.queue for attempt in timed if attempt.queue is not None]
    execution = [attempt.execution for attempt in timed if attempt.execution is not None]
    total = [attempt.total for attempt in timed if attempt.total is not None]
    split = [attempt.total for attempt in timed if attempt.queue is not None and attempt.total is not None]
    return RunTimes(
        workflows=workflows,
        completed=completed,
        queue=summarize(queue),
        execution=summarize(execution),
        total=summarize(total),
        queue_share=sum(queue) / sum(split) if split and sum(split) > 0 else None,
        quality=worst_quality(attempt.quality for attempt in timed),
        method=", ".join(sorted({attempt.method for attempt in timed if attempt.method})),
    )


def worst_quality(qualities: Iterable[str]) -> str:
    """Return the worst of `qualities`; empty where there are none."""
    order = list(QUALITIES)
    return max((quality for quality in qualities if quality in QUALITIES), key=order.index, default="")


def _times(
    created: datetime | None, started: datetime | None, completed: datetime | None, *, clock: str
) -> Times:
    queue, execution, total = (_span(created, started), _span(started, completed), _span(created, completed))
    spans = [span for span in (queue, execution, total) if span is not None]
    quality = "adjusted" if any(span < 0 for span in spans) else _CLOCK_QUALITY.get(clock, "second")
    return Times(_not_negative(queue), _not_negative(execution), _not_negative(total), clock, quality)


def _span(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else (end - start).total_seconds()


def _not_negative(span: float | None) -> float | None:
    return None if span is None else max(span, 0.0)
