"""Drive a run: one at a time sends, follows and closes it.

Who drives holds the lease in the run's row.  A driver that dies loses it by time, and whoever
looks next goes on where it stopped, because every step is safe to repeat.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from analysis.wording import count
from tracking import job_wrapper
from tracking.ci import CIBusy, CIRefused, CIService, CIUnavailable
from tracking.closing import abandon, settle
from tracking.deliveries import take_up_strangers
from tracking.dispatch import send_workflows, settle_lost
from tracking.lifecycle import Status, close_run, expire_run, settle_run
from tracking.models import TestDefinition, TestRun, WorkflowRun
from tracking.observe import apply_observation
from tracking.recording import ENDED
from tracking.silence import heard, silence_of
from tracking.tracker import LEASE, note


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


def advance(run: TestRun, *, ci: CIService, now: datetime, renew: Callable[[], bool] = lambda: True) -> bool:
    """Do all that can be done for `run` just now; True if something changed.

    `run` must be fresh from the database.  Sending many workflows takes longer than a lease: `renew` keeps
    it meanwhile, and says whether it is still held.  A service that does not answer is tried again by the
    next call; the run's deadline holds all the same.
    """
    if not run.is_running:
        return False
    if not run.plan.get("steps"):
        return _advance_recorded(run, ci=ci, now=now)
    changed = False
    try:
        changed = _refuse_at_preflight(run, ci=ci, now=now) or expire_run(run, now=now)
        if not run.is_running:
            return True
        if run.cancel_requested_at:
            _cancel_in_flight(run, ci=ci, now=now)
        else:
            changed |= _send_what_is_due(run, ci=ci, now=now, renew=renew)
        changed |= follow(run, ci=ci, now=now) > 0
    except CIUnavailable as silence:
        changed |= silence_of(run, silence, now=now)
    return settle(run, ci=ci, now=now, ask=_ask_again) or changed


def follow(run: TestRun, *, ci: CIService, now: datetime, confirm: bool = False) -> int:
    """Ask the service about all open workflows at once; return how many had news.

    What it tells of other runs at the same time is written down as well.
    """
    asked = run.workflow_runs.sent() if confirm else run.workflow_runs.in_flight()
    flying = list(asked.prefetch_related("attempts").select_related("run"))
    if not flying:
        return 0
    seen = ci.fetch(flying, now=now, confirm=confirm)
    if seen.has_answered:
        heard(run, now=now)
    rows = {workflow.dispatch_id: workflow for workflow in flying}
    others = [remote.dispatch_id for remote in seen.runs if remote.dispatch_id not in rows]
    if others:
        rows |= WorkflowRun.objects.by_dispatch_id(others)
    news = 0
    for remote in seen.runs:
        if remote.dispatch_id in rows:
            news += apply_observation(rows[remote.dispatch_id], remote, clock=ci.clock, now=now)
    return news + settle_lost(run, seen, ci=ci, now=now)


def awaits_results(run: TestRun) -> bool:
    """Whether all that was started for a run has ended, and its results are to be taken before it closes."""
    is_suite = run.plan.get("kind") == TestDefinition.SUITE
    return run.is_running and is_suite and not run.workflow_runs.open().exists()


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
        found = ci.preflight(run.plan, now=now, for_run=run.pk)
    except CIRefused as refusal:
        faults: tuple[str, ...] = (str(refusal),)
    else:
        faults = found.faults
    if not faults:
        TestRun.objects.filter(pk=run.pk).update(checked=found.checked)
        run.checked = found.checked
        told = f"Checked {count(len(run.plan['steps']), 'step')}: all can be sent."
        note(run, "preflight", " ".join((told, *found.remarks)), now)
        return True
    run.workflow_runs.unsent().update(
        conclusion="startup_failure",
        dispatch_state="refused",
        reason="nothing was sent: the check before failed",
    )
    return close_run(run, Status.ERROR, reason="Nothing was sent. " + " ".join(faults), now=now)


def _cancel_in_flight(run: TestRun, *, ci: CIService, now: datetime) -> None:
    """Ask once for the end of each workflow, and once more by force where that did not help."""
    for workflow in run.workflow_runs.in_flight():
        rows = WorkflowRun.objects.filter(pk=workflow.pk)
        if workflow.service != "local" and workflow.github_run_id is None:
            continue  # it has no name at the service yet; it is asked for when it turns up
        force = bool(
            ci.force_after
            and workflow.cancel_asked_at
            and not workflow.cancel_forced_at
            and now > workflow.cancel_asked_at + ci.force_after
        )
        if workflow.cancel_asked_at and not force:
            continue
        try:
            ci.cancel(workflow, now=now, force=force)
        except CIRefused as refusal:
            note(run, "cancel", f"{workflow} could not be cancelled: {refusal}", now)
        rows.update(**{"cancel_forced_at" if force else "cancel_asked_at": now})


def _advance_recorded(run: TestRun, *, ci: CIService, now: datetime) -> bool:
    """A script sends this run's workflows: it ends by the script's word, a wish, or the script's death."""
    changed = False
    try:
        if run.cancel_requested_at:
            _cancel_in_flight(run, ci=ci, now=now)
        changed = follow(run, ci=ci, now=now) > 0
    except CIUnavailable as silence:
        changed = silence_of(run, silence, now=now)
    if run.cancel_requested_at:
        if run.environment.service == "local" or now > run.cancel_requested_at + ci.grace:
            abandon(run, "a script sent it, and Runtrail can't end it")
        return settle_run(run, now=now) or changed
    if run.events.filter(kind=ENDED).exists():
        return settle_run(run, now=now) or changed
    if run.deadline and now > run.deadline:
        reason = f"Nobody completed it within its limit of {run.plan['timeout']} s."
        return close_run(run, Status.ERROR, reason=reason, now=now)
    if is_gone(str(run.metadata.get("recorder", ""))):
        reason = "The script that recorded it ended without saving its record."
        return close_run(run, Status.ERROR, reason=reason, now=now)
    return changed


def _send_what_is_due(run: TestRun, *, ci: CIService, now: datetime, renew: Callable[[], bool]) -> bool:
    """Send until it is not our turn; what is out already is followed meanwhile."""
    try:
        return send_workflows(run, ci=ci, now=now, renew=renew) > 0
    except CIBusy as busy:
        return silence_of(run, busy, now=now)
    finally:
        if ci.confirms:
            take_up_strangers(run.workflow_runs.in_flight().filter(attempt=0))


def _ask_again(run: TestRun, *, ci: CIService, now: datetime) -> bool:
    """Ask once more before the run closes, so that what no message told is known; True if it answered."""
    try:
        follow(run, ci=ci, now=now, confirm=True)
    except CIUnavailable as silence:
        silence_of(run, silence, now=now)
        return False
    return True
