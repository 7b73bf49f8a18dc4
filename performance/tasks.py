"""Doors from Celery: take up workload runs and tracks, and those that their driver left."""

from __future__ import annotations

import socket
import uuid
from datetime import datetime, timedelta
from functools import partial

import structlog
from celery import shared_task
from django.core.cache import cache
from django.core.files.storage import storages
from django.db import transaction
from django.utils import timezone
from redis.exceptions import RedisError

from performance import drive, sources
from performance.bottlenecks import analyze_if_possible
from performance.gathering import gather_series, queries_of, ungathered
from performance.management.driving import drive_apart, place
from performance.management.following import follow_ended
from performance.management.tracks import drive_track_apart
from performance.models import TrackRun, WorkloadRun
from performance.sources.host import host_queries
from performance.specification import FaultySpec
from performance.track_ends import sweep_track
from performance.trigger import adopt_run
from tracking.drive import driver_name, is_gone, release, take_lease
from tracking.lifecycle import Status, close_run
from tracking.models import TestRun
from tracking.plan import NotRunnable
from tracking.tasks import ask

log = structlog.get_logger(__name__)
BEGINS = 15  # seconds in which a driver that was asked for has begun, or never will
ELSEWHERE = timedelta(minutes=10)  # until what another machine left is given up


def wake(run_pk: str | uuid.UUID) -> None:
    """After the commit, ask a worker to drive a workload run; without a broker the sweep finds it."""
    transaction.on_commit(partial(send, str(run_pk)))


def send(run_pk: str) -> bool:
    """Ask a worker to drive a workload run; False where no broker can be reached."""
    return ask(run_workload, run_pk)


def wake_track(track_pk: str | uuid.UUID) -> None:
    """After the commit, ask a worker to drive a track; without a broker the sweep finds it."""
    transaction.on_commit(partial(send_track, str(track_pk)))


def send_track(track_pk: str) -> bool:
    """Ask a worker to drive a track; False where no broker can be reached."""
    return ask(run_whole_track, track_pk)


def follow_soon() -> bool:
    """Ask a worker for what follows from a run that has just ended; without a broker the sweep finds it."""
    return ask(follow_workload_runs)


@shared_task
def run_whole_track(track_pk: str) -> bool:
    """Drive a track that a page or the API began, unless somebody does or it has ended."""
    if not TrackRun.objects.running().filter(pk=track_pk, driver="").exists():
        return False
    drive_track_apart(track_pk)
    return True


@shared_task
def run_workload(run_pk: str) -> bool:
    """Have a run of a workload driven, whichever door began it; close it where its driver is gone.

    The sweep of `tracking` comes here again and again with each run that nobody drives.
    """
    run = TestRun.objects.for_file().filter(pk=run_pk).first()
    if run is None or not run.is_running:
        return False
    try:
        found = adopt_run(run)
    except (NotRunnable, FaultySpec) as refusal:
        close_run(run, Status.ERROR, reason=f"Nothing was sent. {refusal}", now=timezone.now())
        return False
    now = timezone.now()
    if run.driver and not is_gone(run.driver) and run.driver_until and run.driver_until > now:
        return False
    if found.load_started_at is not None:  # never put on twice: what its driver left is closed
        return _close_left(found, now)
    if not _is_first(run_pk):
        return False
    drive_apart(run_pk)
    return True


def _is_first(run_pk: str) -> bool:
    """Whether no driver was asked for just now: a second one that starts in vain disturbs the load."""
    try:
        return bool(cache.add(f"begins:{run_pk}", 1, timeout=BEGINS))
    except (RedisError, OSError):
        return True


@shared_task(expires=30)
def sweep_tracks() -> int:
    """Have tracks driven that nobody took up, and close those whose driver is gone; return how many wait."""
    now = timezone.now()
    waiting = [track for track in TrackRun.objects.running().for_page() if sweep_track(track, now=now)]
    for track in waiting:
        send_track(str(track.pk))
    return len(waiting)


@shared_task(expires=30)
def follow_workload_runs() -> int:
    """Watch what has ended, and go on with comparisons and tries; return how many runs had ended."""
    return follow_ended(send)


def _close_left(workload_run: WorkloadRun, now: datetime) -> bool:
    run = workload_run.run
    here = place()
    if not here.of(run).exists() and now < (run.driver_until or now) + ELSEWHERE:
        return False  # its samples lie on the machine that drove it
    driver = driver_name("sweep")
    if not take_lease(run.pk, driver, now=now):
        return False
    try:
        drive.finish_left(workload_run, place=here, now=now)
    except Exception as problem:  # the next sweep would meet it again, and again
        log.exception("workload_run_not_counted", run=str(run))
        reason = f"Its driver ended, and what it left can't be counted: {type(problem).__name__}."
        close_run(run, Status.ERROR, reason=reason, now=now)
    finally:
        release(run.pk, driver)
    return True


@shared_task(expires=30)
def sweep_series() -> int:
    """Have the series of runs that have ended since read, some at a time; return how many runs."""
    due = ungathered(timezone.now(), host=socket.gethostname()).values_list("pk", flat=True)[:50]
    for run_pk in due:
        # A source that does not answer takes longer than the next sweep.
        if cache.add(f"gathering:{run_pk}", 1, timeout=300):
            gather_of_run.delay(str(run_pk))
    return len(due)


@shared_task
def gather_of_run(run_pk: str) -> bool:
    """Read the series of one run that has ended, and look again at what held a load back by them."""
    run = TestRun.objects.ended().select_related("project", "environment").filter(pk=run_pk).first()
    if run is None:
        return False
    try:
        queries = queries_of(run, host=socket.gethostname(), host_queries=host_queries())
        gather_series(run, connect=sources.connect, queries=queries, now=timezone.now())
    finally:
        cache.delete(f"gathering:{run_pk}")
    workload_run = WorkloadRun.objects.for_driving().filter(pk=run.pk, samples__gt="").first()
    if workload_run:
        analyze_if_possible(workload_run, storage=storages["artifacts"], now=timezone.now())
    return True
