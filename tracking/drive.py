"""Drive a run: one at a time sends, follows and closes it.

Who drives holds the lease in the run's row.  A driver that dies loses it by time, and whoever
looks next goes on where it stopped, because every step is safe to repeat.
"""

from __future__ import annotations

import os
import socket
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from tracking import job_wrapper
from tracking.ci import CIService, CIUnavailable
from tracking.dispatch import send_workflows
from tracking.lifecycle import Status, close_run, expire_run, settle_run, was_expired
from tracking.models import TestRun
from tracking.observe import apply_observation
from tracking.recording import ENDED
from tracking.tracker import LEASE, note

GRACE = timedelta(seconds=60)  # after a cancel; then the run is closed without waiting for the service


def driver_name(what: str) -> str:
    """Return the name under which this process drives runs: what it is, where, and which process."""
    process = os.getpid()
    return f"{what}@{socket.gethostname()}:{process}:{job_wrapper.start_of(process)}"


def is_gone(driver: str) -> bool:
    """Whether `driver` was a process of this machine and has ended; its lease need not be waited for."""
    _, _, place = driver.partition("@")
    host, _, process = place.partition(":")
    return bool(process) and host == socket.gethostname() and not job_wrapper.is_alive(process)


def take_lease(run_pk: str | UUID, driver: str, *, now: datetime, lease: timedelta = LEASE) -> bool:
    """Become or stay the driver of a running run; False where another one drives it."""
    free = Q(driver_until=None) | Q(driver_until__lte=now) | Q(driver=driver)
    row = TestRun.objects.running().filter(free, pk=run_pk)
    if row.update(driver=driver, driver_until=now + lease):
        return True
    holder = TestRun.objects.filter(pk=run_pk).values_list("driver", flat=True).first()
    if not holder or holder == driver or not is_gone(holder):
        return False
    release(run_pk, holder)
    return take_lease(run_pk, driver, now=now, lease=lease)


def release(run_pk: str | UUID, driver: str) -> None:
    """Give the lease back, so that the next one need not wait for its end."""
    TestRun.objects.filter(pk=run_pk, driver=driver).update(driver="", driver_until=None)


def advance(run: TestRun, *, ci: CIService, now: datetime) -> bool:
    """Do all that can be done for `run` just now; True if something changed.

    `run` must be fresh from the database.  A service that does not answer is tried again by the
    next call; the run's deadline holds all the same.
    """
    if not run.is_running:
        return False
    if not run.plan.get("steps"):
        return _advance_recorded(run, ci=ci, now=now)
    changed = _refuse_at_preflight(run, ci=ci, now=now) or expire_run(run, now=now)
    if not run.is_running:
        return True
    try:
        if not run.cancel_requested_at:
            changed |= send_workflows(run, ci=ci, now=now) > 0
        else:
            _cancel_in_flight(run, ci=ci, now=now)
        changed |= follow(run, ci=ci, now=now) > 0
    except CIUnavailable as silence:
        changed |= _tell_silence(run, str(silence), now)
    return _settle(run, now) or changed


def follow(run: TestRun, *, ci: CIService, now: datetime) -> int:
    """Ask the service about all open workflows at once; return how many had news."""
    flying = list(run.workflow_runs.in_flight().prefetch_related("attempts"))
    if not flying:
        return 0
    seen = ci.fetch(flying)
    return sum(
        apply_observation(workflow, seen[workflow.dispatch_id], clock=ci.clock, now=now)
        for workflow in flying
        if workflow.dispatch_id in seen
    )


def next_due(run: TestRun, *, now: datetime) -> float | None:
    """Seconds until the next workflow becomes due; None where none is left to become so.

    One that is due already and has no place waits for the end of another, not for a time.
    """
    later = run.workflow_runs.unsent().filter(due_at__gt=now)
    due = later.order_by("due_at").values_list("due_at", flat=True).first()
    return None if due is None else (due - now).total_seconds()


def _refuse_at_preflight(run: TestRun, *, ci: CIService, now: datetime) -> bool:
    """Before the first workflow goes out, ask whether all of them can; if not, nothing is sent."""
    if run.events.filter(kind="preflight").exists():
        return False
    try:
        faults = ci.preflight(run.plan)
    except CIUnavailable:
        return False
    if not faults:
        note(run, "preflight", f"Checked {len(run.plan['steps'])} steps: all can be sent.", now)
        return True
    run.workflow_runs.unsent().update(
        conclusion="startup_failure",
        dispatch_state="refused",
        reason="nothing was sent: the check before failed",
    )
    return close_run(run, Status.ERROR, reason="Nothing was sent. " + " ".join(faults), now=now)


def _cancel_in_flight(run: TestRun, *, ci: CIService, now: datetime) -> None:
    for workflow in run.workflow_runs.in_flight():
        ci.cancel(workflow, now=now)


def _advance_recorded(run: TestRun, *, ci: CIService, now: datetime) -> bool:
    """A script sends this run's workflows: it ends by the script's word, a wish, or the script's death."""
    changed = False
    try:
        if run.cancel_requested_at:
            _cancel_in_flight(run, ci=ci, now=now)
        changed = follow(run, ci=ci, now=now) > 0
    except CIUnavailable as silence:
        changed = _tell_silence(run, str(silence), now)
    if run.cancel_requested_at:
        if run.environment.service == "local" or now > run.cancel_requested_at + GRACE:
            _abandon(run, "a script sent it, and Runtrail can't end it")
        return settle_run(run, now=now) or changed
    if run.events.filter(kind=ENDED).exists():
        return settle_run(run, now=now) or changed
    if is_gone(str(run.metadata.get("recorder", ""))):
        reason = "The script that recorded it ended without saving its record."
        return close_run(run, Status.ERROR, reason=reason, now=now)
    return changed


def _settle(run: TestRun, now: datetime) -> bool:
    if was_expired(run):
        return _close_expired(run, now)
    if settle_run(run, now=now):
        return True
    if run.cancel_requested_at and now > run.cancel_requested_at + GRACE:
        _abandon(run, "it did not end within a minute of being cancelled")
        return settle_run(run, now=now)
    return False


def _close_expired(run: TestRun, now: datetime) -> bool:
    """A run past its limit is an error, whatever its workflows still say."""
    assert run.cancel_requested_at is not None  # noqa: S101 - by was_expired
    if run.workflow_runs.open().exists():
        if now <= run.cancel_requested_at + GRACE:
            return False
        _abandon(run, "it did not end within a minute of the time limit")
    reason = f"The run took longer than its limit of {run.plan['timeout']} s and was ended."
    return close_run(run, Status.ERROR, reason=reason, now=now)


def _abandon(run: TestRun, reason: str) -> None:
    run.workflow_runs.open().update(conclusion="cancelled", reason=f"abandoned: {reason}")


def _tell_silence(run: TestRun, text: str, now: datetime) -> bool:
    """Say once in a row that the service is silent, not at every try."""
    last = run.events.order_by("-id").first()
    if last and last.kind == "waiting":
        return False
    note(run, "waiting", f"{run.plan['service']} did not answer ({text}); trying again.", now)
    return True
