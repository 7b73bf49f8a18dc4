"""Doors from Celery: load the row, call one verb, decide what a failure means."""

from __future__ import annotations

import uuid
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from celery import current_app, shared_task, signature
from django.conf import settings
from django.core.cache import cache
from django.db import InterfaceError, transaction
from django.db import OperationalError as DatabaseUnreachable
from django.utils import timezone
from django.utils.module_loading import import_string
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from tracking import ci, closing, deliveries, drive, scheduling, tracking_file
from tracking.models import LocalJob, TestRun, WebhookDelivery

log = structlog.get_logger(__name__)
SWEPT = 20  # seconds; a message that was lost with its worker is then sent again


def wake(run_pk: str | uuid.UUID) -> None:
    """After the commit, ask the workers to take up a run.

    It never fails: without a broker the row waits, and `sweep_runs` finds it.
    """
    transaction.on_commit(partial(send, str(run_pk)))


def send(run_pk: str) -> bool:
    """Ask the workers to take up a run; False where no broker can be reached."""
    return ask(drive_run, run_pk)


def wake_delivery(delivery_pk: int) -> None:
    """After the commit, have a kept message worked on; without a broker the sweep finds it."""
    transaction.on_commit(partial(ask, apply_delivery, delivery_pk))


def is_a_worker_there(seconds: float = 1.0) -> bool:
    """Whether some worker answers within `seconds`; False without a broker too."""
    try:
        return bool(current_app.control.broadcast("ping", reply=True, timeout=seconds, limit=1))
    except (OperationalError, RedisError, OSError):
        return False


@shared_task
def drive_run(run_pk: str) -> bool:
    """Do what can be done for a run now, and come again when its next workflow is due."""
    cache.delete(_swept(run_pk))
    whole = TestRun.objects.running().filter(pk=run_pk).defer("metadata").first()
    if whole is not None and whole.is_handed_over:
        return hand_over(whole)
    driver = drive.driver_name("worker")
    if not drive.take_lease(run_pk, driver, now=timezone.now()):
        _look_after(run_pk)
        return False
    try:
        run = TestRun.objects.for_file().get(pk=run_pk)
        service = ci.connect(_service(run), run.project)
        changed = drive.advance(
            run,
            ci=service,
            now=timezone.now(),
            renew=lambda: drive.take_lease(run_pk, driver, now=timezone.now()),
        )
        wait = drive.next_due(run, now=timezone.now()) if run.is_running else None
    finally:
        drive.release(run_pk, driver)
    if drive.awaits_results(run):
        hand_over(run)
    if changed:
        _write_file(run_pk)
    if wait is not None and not run.cancel_requested_at:
        _come_again(run_pk, wait)
    return changed


def hand_over(run: TestRun) -> bool:
    """Send a run to what RUN_KINDS names for its kind; a suite to the machine that has its jobs' files."""
    dispatched = run.workflow_runs.values("dispatch_id")
    host = LocalJob.objects.filter(dispatch_id__in=dispatched).values_list("host", flat=True).first()
    where = {"queue": f"host.{host}"} if host else {}
    return ask(signature(settings.RUN_KINDS[run.plan["kind"]], (str(run.pk),), {}, where))


def hand_over_here(run: TestRun) -> None:
    """Do the same in this very process, for a command that needs no worker."""
    take: Any = import_string(settings.RUN_KINDS[run.plan["kind"]])
    take(str(run.pk))


def _look_after(run_pk: str) -> None:
    """What is to be done for a run that can't be driven just now: another one drives it, or it has ended."""
    run = TestRun.objects.for_file().filter(pk=run_pk).first()
    if run is None:
        return
    if run.is_running:
        # A worker may have looked just before the news came.
        if run.driver.startswith("worker@"):
            _come_again(run_pk, 0.3)
    elif run.workflow_runs.latecomers().exists():
        try:
            service = ci.connect(_service(run), run.project)
            closing.end_latecomers(run, ci=service, now=timezone.now())
        except ci.CIUnavailable as silence:
            drive_run.apply_async((run_pk,), countdown=silence.retry_after or 60)


def _write_file(run_pk: str) -> None:
    """Write the tracking file; a full disk must not keep the run from going on."""
    try:
        tracking_file.write(TestRun.objects.for_file().get(pk=run_pk), settings.DATA, now=timezone.now())
    except OSError as problem:
        log.warning("tracking_file_not_written", run=run_pk, problem=problem.strerror)


def _come_again(run_pk: str, seconds: float) -> None:
    """Set one alarm per run and due time; many tasks look at a run, and each would set its own."""
    due = round((timezone.now().timestamp() + seconds) * 5)
    if cache.add(f"due:{run_pk}:{due}", 1, timeout=int(seconds) + 60):
        drive_run.apply_async((run_pk,), countdown=max(seconds, 0.05))


@shared_task
def apply_delivery(delivery_pk: int) -> bool:
    """Work on one message of a CI service, and take up the run that it moved on."""
    delivery = WebhookDelivery.objects.to_do().filter(pk=delivery_pk).first()
    if delivery is None:
        return False
    read = ci.message_reader("github")
    try:
        run_pk = deliveries.apply_delivery(delivery, read=read, now=timezone.now())
    except (DatabaseUnreachable, InterfaceError):
        raise
    except Exception as problem:  # of one message, which must not keep the others waiting
        log.exception("delivery_not_applied", delivery=delivery_pk)
        told = f"It could not be worked on ({type(problem).__name__}); the worker's log has more."
        WebhookDelivery.objects.filter(pk=delivery_pk).update(state="failed", problem=told)
        return False
    if run_pk:
        send(str(run_pk))
    return run_pk is not None


@shared_task(expires=30)
def sweep_deliveries() -> int:
    """Work on messages that no worker has taken up; return how many there were."""
    overdue = timezone.now() - timedelta(seconds=5)
    left = WebhookDelivery.objects.to_do().filter(received_at__lt=overdue).values_list("pk", flat=True)
    due = list(left[:500])
    for pk in due:
        apply_delivery(pk)
    return len(due)


@shared_task
def prune_deliveries(days: int = 7) -> int:
    """Drop messages that were worked on long ago, in pieces; return how many."""
    old = WebhookDelivery.objects.worked_on().filter(received_at__lt=timezone.now() - timedelta(days=days))
    dropped = 0
    while piece := list(old.values_list("pk", flat=True)[:1000]):
        dropped += WebhookDelivery.objects.filter(pk__in=piece).delete()[0]
    return dropped


@shared_task(expires=30)
def start_scheduled() -> int:
    """Start what is due by the clock; return how many runs began."""
    done = scheduling.start_due(now=timezone.now(), commands_allowed=settings.ALLOW_LOCAL_COMMANDS)
    for one in done:
        if one.problem:
            log.warning("schedule_not_kept", schedule=str(one.schedule), problem=one.problem)
        if one.run:
            wake(one.run.pk)
    return sum(one.run is not None for one in done)


@shared_task(expires=30)
def sweep_runs() -> int:
    """Take up every run that nobody drives, or whose driver is gone; return how many were sent.

    One that was sent and that no worker has come to yet is not sent again: workers that are behind
    would be told of it every five seconds, and never catch up.
    """
    free = set(TestRun.objects.undriven(timezone.now()).values_list("pk", flat=True))
    driven = TestRun.objects.running().exclude(driver="").values_list("pk", "driver")
    free.update(run_pk for run_pk, driver in driven if drive.is_gone(driver))
    return sum(send(str(run_pk)) for run_pk in free if cache.add(_swept(run_pk), 1, timeout=SWEPT))


def _swept(run_pk: object) -> str:
    return f"swept:{run_pk}"


def ask(task: Any, *arguments: object) -> bool:
    """Send a task that a sweep would find as well; False where no broker can be reached."""
    try:
        task.delay(*arguments)
    except (OperationalError, RedisError, OSError) as problem:
        log.info("broker_unreachable", task=task.name, problem=type(problem).__name__)
        return False
    return True


def _service(run: TestRun) -> str:
    return str(run.plan.get("service") or run.environment.service)
