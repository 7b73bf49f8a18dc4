"""Doors from Celery: work on workspaces goes to the queue of the host where their files lie."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from celery import current_app, shared_task
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from batches import jobs
from batches.models import Batch, BatchJob, Workspace
from batches.performing import perform
from batches.planning import Surroundings
from batches.recording import Desk
from batches.store import Store
from tracking.drive import driver_name, is_gone
from tracking.runner import PASSED_ON

log = structlog.get_logger(__name__)


class _Found(Exception):
    pass


def queue_of(host: str) -> str:
    return f"host.{host}"


def is_served(host: str, seconds: float = 1.5) -> bool:
    """Whether some worker takes what is sent to `host`; False without a broker too."""

    def look(answer: dict[str, Any]) -> None:
        names = [queue["name"] for queues in answer.values() for queue in queues if isinstance(queue, dict)]
        if queue_of(host) in names:
            raise _Found

    try:
        current_app.control.broadcast("active_queues", reply=True, timeout=seconds, callback=look)
    except _Found:
        return True
    except (OperationalError, RedisError, OSError):
        return False
    return False


def order(
    workspace: Workspace, kind: str, *, batch: Batch | None, options: Mapping[str, Any], actor: Any
) -> BatchJob:
    """Keep that somebody wants something done, and send it to the workspace's host.

    Raises:
        NotServed: no worker there would take it.
        Busy: it is waiting or going on already.
    """
    if not is_served(workspace.host):
        raise jobs.NotServed(
            f"No worker serves {workspace.host}, where the files lie: start script/server there."
        )
    given = {name: value for name, value in options.items() if value}
    job = jobs.request_job(workspace, kind, batch=batch, options=given, actor=actor, now=timezone.now())
    wake(job)
    return job


def wake(job: BatchJob) -> None:
    """After the commit, send a job to its host; without a broker the sweep finds it."""
    transaction.on_commit(partial(_send, job.pk, job.workspace.host))


def _send(job_pk: int, host: str, **options: Any) -> bool:
    try:
        do_job.apply_async((job_pk,), queue=queue_of(host), **options)
    except (OperationalError, RedisError, OSError) as problem:
        log.info("broker_unreachable", task="do_job", problem=type(problem).__name__)
        return False
    return True


@shared_task
def do_job(job_pk: int) -> bool:
    """Do one job; what another process does, or did, is left alone."""
    job = jobs.claim(job_pk, driver_name("worker"), is_gone=is_gone, now=timezone.now())
    if job is None:
        return False
    if job.workspace.host != socket.gethostname():
        jobs.finish(job, jobs.COULD_NOT, f"It reached {socket.gethostname()}.", now=timezone.now())
        return False
    # Only what is named passes on: the server's environment holds its secrets.
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    around = Surroundings(settings.BASE_DIR / "client" / "src", Path(sys.prefix), environment)
    desk = Desk(job.workspace, Store(settings.DATA / "batch_files"))
    notes = jobs.Notes(job, clock=time.monotonic)
    try:
        code, told = perform(job, desk, around, notes, clock=timezone.now)
    except Exception as problem:
        log.exception("batch_job_failed", job=job.pk)
        code, told = jobs.COULD_NOT, f"Runtrail failed: {type(problem).__name__}: {problem}"
    jobs.finish(job, code, told, now=timezone.now())
    _next(job)
    return True


def _next(job: BatchJob) -> None:
    """Take up what waited for the workspace."""
    waiting = jobs.open_jobs(job.workspace).filter(claimed_by="").order_by("id").first()
    if waiting:
        _send(waiting.pk, job.workspace.host)


@shared_task(expires=30)
def sweep_jobs() -> int:
    """Send again what was lost on its way or with its worker; return how many there were."""
    found = list(jobs.forgotten(timezone.now()).values_list("pk", "workspace__host")[:100])
    return sum(_send(job_pk, host, expires=30) for job_pk, host in found)
