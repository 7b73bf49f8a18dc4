"""Doors from Celery about results."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import structlog
from celery import shared_task
from django.conf import settings
from django.core.files.storage import storages
from django.db import DatabaseError, transaction
from django.utils import timezone

from access.models import Project
from executions import suite, uploads
from executions.exclusion import settle
from executions.models import CISync, Report, ResultSet
from executions.months import drop_old_months
from executions.recount import forget_runs
from executions.reports.base import Limits
from executions.sync import Bounds, claim_due, sync_turn
from tracking import ci, drive
from tracking.models import TestRun
from tracking.retention import prune
from tracking.tasks import ask

log = structlog.get_logger(__name__)
UPLOADS_WAIT = timedelta(minutes=10)  # for a worker, before their message counts as lost


@shared_task
def prune_runs() -> int:
    """Apply the retention policies and drop old months of results; return how many runs went."""
    now = timezone.now()
    gone = sum(1 for _ in prune(now, storage=storages["artifacts"], forget=forget_runs))
    for month in drop_old_months(now, keep=settings.RESULT_MONTHS):
        log.info("old_results", month=str(month), results=month.results, kept_for=month.kept_for)
    return gone


@shared_task(expires=30)
def sweep_exclusions() -> int:
    """Let the statistics of tests follow runs that were left out or taken back; return how many."""
    done = 0
    for set_pk in ResultSet.objects.unsettled():
        try:
            done += settle(set_pk) is not None
        except DatabaseError:  # those behind it, of other projects too, are not to wait for it
            log.exception("exclusion_not_settled", result_set=set_pk)
    return done


@shared_task
def take_results(run_pk: str) -> bool:
    """Store what a suite reported on this machine and close its run; True if this very call closed it."""
    run = TestRun.objects.for_file().get(pk=run_pk)
    if not drive.awaits_results(run):
        return False
    folder = settings.CI_SERVICES["local"]["OPTIONS"]["folder"]
    limits = Limits(unpacked_bytes=settings.REPORT_BYTES)
    return suite.take_results(run, suite.Bounds(folder, limits, settings.REPORT_CASES), now=timezone.now())


@shared_task(expires=60)
def sync_due() -> int:
    """Send each project whose turn it is to fetch what CI did; return how many."""
    due = claim_due(now=timezone.now())
    for project in due:
        sync_project.delay(project.pk)
    return len(due)


@shared_task
def sync_project(project_pk: int) -> int:
    """Fetch what is new of one project's CI; return how many reports came."""
    project = Project.objects.get(pk=project_pk)
    try:
        history = ci.connect("github", project).history()
    except ci.CIRefused as problem:
        CISync.objects.filter(project=project).update(problem=str(problem))
        return 0
    bounds = Bounds(Limits(unpacked_bytes=settings.REPORT_BYTES), settings.REPORT_CASES)
    done = sync_turn(project, history, bounds=bounds, now=timezone.now())
    if done.problem:
        log.info("ci_not_fetched", project=project.slug, problem=done.problem)
    return done.reports


def wake_upload(report_pk: int) -> None:
    """After the commit, have a large report read; without a broker the sweep finds it."""
    transaction.on_commit(partial(ask, take_upload, report_pk))


@shared_task(acks_late=False)
def take_upload(report_pk: int) -> bool:
    """Read a large report that waits; True if this call stored it."""
    done = uploads.take_upload(
        report_pk,
        storage=storages["artifacts"],
        limits=Limits(unpacked_bytes=settings.REPORT_BYTES),
        most_cases=settings.REPORT_CASES,
        now=timezone.now(),
    )
    return done is not None and done.status == Report.Status.STORED


@shared_task(expires=60)
def sweep_uploads() -> int:
    """Send again what waits for long: its message was lost, or its worker ended; return how many."""
    late = timezone.now() - UPLOADS_WAIT
    waiting = list(Report.objects.queued().filter(received_at__lt=late).values_list("pk", flat=True)[:100])
    return sum(ask(take_upload, pk) for pk in waiting)
