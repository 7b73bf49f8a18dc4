"""Tests and rollbacks that somebody asked for elsewhere: kept as rows, claimed once, done on their host."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from access import audit
from batches.models import Batch, BatchJob, Workspace
from batches.testing import COULD_NOT

LONGEST_OUTPUT = 20_000  # characters, the last ones
FORGOTTEN = timedelta(seconds=20)  # after which a job that nobody does is sent again


class Busy(Exception):
    """The same is being done already."""


class NotServed(Exception):
    """No worker takes what is sent to the workspace's host."""


def request_job(
    workspace: Workspace,
    kind: str,
    *,
    batch: Batch | None = None,
    options: dict[str, Any] | None = None,
    actor: Any,
    now: datetime,
) -> BatchJob:
    """Keep that somebody wants something done.

    Raises:
        Busy: it is waiting or going on already.
    """
    with transaction.atomic():
        Workspace.objects.select_for_update().get(pk=workspace.pk)
        same = BatchJob.objects.filter(workspace=workspace, kind=kind, batch=batch, finished_at=None).first()
        if same:
            raise Busy(f"A {kind} of {batch or workspace} is {same.status} already.")
        job = BatchJob.objects.create(
            workspace=workspace,
            batch=batch,
            kind=kind,
            options=options or {},
            requested_by=str(actor)[:255],
            requested_at=now,
        )
        audit.record(
            f"batch.{kind}.ask",
            actor=actor,
            project=workspace.project,
            target=f"{batch or 'tests'} of {workspace}",
            workspace=workspace.pk,
            batch=batch.number if batch else None,
            **job.options,
        )
    return job


def claim(job_pk: int, claimant: str, *, is_gone: Callable[[str], bool], now: datetime) -> BatchJob | None:
    """Take a job; None where it is done, another process does it, or its workspace is busy with another."""
    with transaction.atomic():
        job = BatchJob.objects.select_related("workspace__project", "batch").filter(pk=job_pk).first()
        if job is None or job.finished_at is not None:
            return None
        Workspace.objects.select_for_update().get(pk=job.workspace_id)
        others = open_jobs(job.workspace).exclude(claimed_by="")
        if any(not is_gone(name) for name in others.values_list("claimed_by", flat=True)):
            return None
        seen = job.claimed_by
        row = BatchJob.objects.filter(pk=job_pk, claimed_by=seen, finished_at=None)
        if not row.update(claimed_by=claimant, claimed_at=now):
            return None
    job.claimed_by, job.claimed_at = claimant, now
    return job


def finish(job: BatchJob, code: int, message: str, *, now: datetime) -> None:
    job.finished_at, job.exit_code, job.message = now, code, message
    job.save(update_fields=["finished_at", "exit_code", "message", "batch_run", "output"])


def cancel(job: BatchJob, *, actor: Any, now: datetime) -> bool:
    """Ask for the end of a job; False where it has ended.  One that nobody has taken ends at once."""
    left = BatchJob.objects.filter(pk=job.pk, finished_at=None)
    asked = bool(left.update(cancel_requested_at=now))
    left.filter(claimed_by="").update(finished_at=now, exit_code=COULD_NOT, message=f"Cancelled by {actor}.")
    if asked:
        audit.record("batch.cancel", actor=actor, project=job.workspace.project, target=job)
    return asked


def open_jobs(workspace: Workspace) -> QuerySet[BatchJob]:
    return BatchJob.objects.filter(workspace=workspace, finished_at=None)


def last_ended(workspace: Workspace) -> BatchJob | None:
    return BatchJob.objects.filter(workspace=workspace).exclude(finished_at=None).first()


def forgotten(now: datetime) -> QuerySet[BatchJob]:
    """Jobs that may have been lost on their way, or with their worker."""
    since = now - FORGOTTEN
    return BatchJob.objects.filter(finished_at=None, requested_at__lt=since).filter(
        Q(claimed_at=None) | Q(claimed_at__lt=since)
    )


class Notes:
    """What a job says while it goes on, kept at most once a second; also whether it is to end."""

    def __init__(self, job: BatchJob, *, clock: Callable[[], float]) -> None:
        self._job, self._clock, self._kept_at, self._looked_at = job, clock, 0.0, 0.0

    def add(self, text: str) -> None:
        self._job.output = (self._job.output + text.replace("\0", ""))[-LONGEST_OUTPUT:]
        if self._clock() - self._kept_at >= 1:
            self._kept_at = self._clock()
            self._job.save(update_fields=["output"])

    def line(self, text: str) -> None:
        self.add(f"{text}\n")

    def is_cancelled(self) -> bool:
        if self._clock() - self._looked_at < 1:
            return False
        self._looked_at = self._clock()
        return BatchJob.objects.filter(pk=self._job.pk, cancel_requested_at__isnull=False).exists()
