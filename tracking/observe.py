"""Write down what a CI service reports of a workflow; time never runs backwards."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from tracking.ci import RemoteJob, RemoteRun
from tracking.models import WorkflowAttempt, WorkflowJob, WorkflowRun
from tracking.timing import time_attempt, time_job

# A later observation may not take a workflow back; `waiting` may become `queued` again.
_STAGE = {"": 0, "requested": 1, "waiting": 1, "pending": 1, "queued": 1, "in_progress": 2, "completed": 3}


def apply_observation(workflow: WorkflowRun, remote: RemoteRun, *, clock: str, now: datetime) -> bool:
    """Bring the rows of `workflow` to what `remote` says; True if something changed.

    An attempt that has completed stays as it is; a later attempt reopens the workflow.
    """
    if remote.attempt < workflow.attempt:
        return False
    known = next((row for row in workflow.attempts.all() if row.number == remote.attempt), None)
    if known and not _is_news(known, remote):
        return False
    with transaction.atomic():
        attempt = known or WorkflowAttempt(workflow=workflow, number=remote.attempt)
        _write_attempt(attempt, remote, clock=clock, now=now)
        for job in remote.jobs:
            _write_job(attempt, job, clock=clock)
        ended = remote.conclusion if remote.status == "completed" else ""
        WorkflowRun.objects.filter(pk=workflow.pk).update(
            attempt=remote.attempt,
            conclusion=ended or ("failure" if remote.status == "completed" else ""),
            reason=remote.reason or workflow.reason,
            visible_tag=remote.title or workflow.visible_tag,
            url=remote.url or workflow.url,
        )
    return True


def _is_news(known: WorkflowAttempt, remote: RemoteRun) -> bool:
    if known.status == "completed":
        return False
    if _STAGE.get(remote.status, 1) < _STAGE.get(known.status, 1):
        return False
    first_job_at = min((job.started_at for job in remote.jobs if job.started_at), default=None)
    seen = (known.status, known.conclusion, known.first_job_at)
    return seen != (remote.status, remote.conclusion, first_job_at)


def _write_attempt(attempt: WorkflowAttempt, remote: RemoteRun, *, clock: str, now: datetime) -> None:
    completed = (remote.completed_at or now) if remote.status == "completed" else None
    attempt.status, attempt.conclusion = remote.status, remote.conclusion
    attempt.created_at, attempt.run_started_at = remote.created_at, remote.run_started_at
    attempt.first_job_at = min(
        (job.started_at for job in remote.jobs if job.started_at and job.runner_id), default=None
    )
    attempt.completed_at = attempt.completed_at or completed
    if completed:
        times = time_attempt(
            remote.jobs, run_started_at=remote.run_started_at, completed_at=completed, clock=clock
        )
        attempt.queue, attempt.execution, attempt.total = times.queue, times.execution, times.total
        attempt.method, attempt.quality = times.method, times.quality
    attempt.save()


def _write_job(attempt: WorkflowAttempt, job: RemoteJob, *, clock: str) -> None:
    times = time_job(job, attempt.run_started_at, clock=clock)
    WorkflowJob.objects.update_or_create(
        attempt=attempt,
        job_id=job.job_id,
        defaults={
            "name": job.name,
            "status": job.status,
            "conclusion": job.conclusion,
            "created_at": job.created_at,
            "started_at": job.started_at,
            "completed_at": job.completed_at,
            "runner_id": job.runner_id,
            "runner_name": job.runner_name,
            "runner_group": job.runner_group,
            "labels": job.labels,
            "reason": job.reason,
            "url": job.url,
            "queue": times.queue,
            "execution": times.execution,
            "total": times.total,
            "method": times.method,
            "quality": times.quality,
        },
    )
