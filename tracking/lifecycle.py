"""How a run ends: by its workflows, by somebody's wish, or by its time limit."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from analysis.wording import count
from tracking.models import TestDefinition, TestRun
from tracking.rollups import forget_figures, keep_figures
from tracking.tracker import note

Status = TestRun.Status

WORST_FIRST = {  # what a CI service calls the end of a workflow; "skipped" decides nothing
    "startup_failure": Status.ERROR,
    "timed_out": Status.ERROR,
    "action_required": Status.ERROR,
    "stale": Status.ERROR,
    "failure": Status.FAILED,
    "cancelled": Status.CANCELLED,
    "neutral": Status.PASSED,
    "success": Status.PASSED,
}
_IN_WORDS = {
    "timed_out": "ran into the time limit",
    "startup_failure": "could not start",
    "failure": "failed",
}


def status_of(conclusions: Iterable[str]) -> TestRun.Status:
    """Return the status of a run from the conclusions of all its workflows.

    The worst conclusion wins.  A word that GitHub adds tomorrow is an error until
    somebody has looked at it, and so is a run in which nothing ran.
    """
    seen = set(conclusions) - {"skipped"}
    if not seen <= WORST_FIRST.keys():
        return Status.ERROR
    return next((status for word, status in WORST_FIRST.items() if word in seen), Status.ERROR)


def settle_run(run: TestRun, *, now: datetime) -> bool:
    """Close `run` if every workflow has ended; True for the caller who closed it."""
    if run.plan.get("kind", TestDefinition.WORKFLOWS) != TestDefinition.WORKFLOWS:
        return False  # whoever takes its results closes it
    workflows = list(run.workflow_runs.values_list("name", "position", "conclusion", "reason"))
    if any(not conclusion for *_, conclusion, _ in workflows):
        return False
    if not workflows and not run.cancel_requested_at:
        return False
    conclusions = [conclusion for *_, conclusion, _ in workflows]
    status = status_of(conclusions)
    if run.cancel_requested_at and (not conclusions or "cancelled" in conclusions):
        return close_run(run, Status.CANCELLED, reason=_who_cancelled(run), now=now)
    bad = TestRun.objects.filter(pk=run.pk).values_list("bad_results", flat=True).first()
    if status == Status.PASSED and bad:
        return close_run(run, Status.FAILED, reason=f"{bad} of its tests failed.", now=now)
    return close_run(run, status, reason=_reason(workflows), now=now)


def close_run(run: TestRun, status: str, *, reason: str = "", now: datetime) -> bool:
    """End `run` with `status`; True for the one caller who ended it.

    Whoever follows the run may arrive here at the same time.  The conditional UPDATE lets
    exactly one of them win, so what follows the end of a run happens once.
    """
    ended = max(now, run.started_at)
    with transaction.atomic():
        won = (
            TestRun.objects.running()
            .filter(pk=run.pk)
            .update(status=status, completed_at=ended, reason=reason, driver="", driver_until=None)
        )
        if not won:
            return False
        run.status, run.completed_at, run.reason = status, ended, reason
        note(run, "settled", f"Ended as {status}" + (f": {reason}" if reason else "."), now)
        keep_figures(run)
    return True


def reopen_run(run: TestRun, *, now: datetime) -> bool:
    """Open an ended run again, because one of its workflows was run again; True if it had ended.

    Its time limit begins anew; its figures are counted when it closes again.
    """
    with transaction.atomic():
        reopened = (
            TestRun.objects.ended()
            .filter(pk=run.pk)
            .update(
                status=Status.RUNNING,
                completed_at=None,
                reason="",
                reopened_at=now,
                cancel_requested_at=None,
                silent_since=None,
                silent_seconds=0,
            )
        )
        if not reopened:
            return False
        run.refresh_from_db()
        note(run, "reopened", "Opened again: a workflow of it was run again at the service.", now)
        forget_figures(run)
    return True


def request_cancel(run: TestRun, *, by: str, now: datetime) -> bool:
    """Ask for the end of `run`; True for the first who asked while it was going.

    What was not sent is stopped here and now; whoever drives the run ends the rest.
    """
    with transaction.atomic():
        first = (
            TestRun.objects.running()
            .filter(pk=run.pk, cancel_requested_at=None)
            .update(cancel_requested_at=now)
        )
        if not first:
            return False
        run.cancel_requested_at = now
        stopped = run.workflow_runs.unsent().update(
            conclusion="cancelled", reason="not sent: the run was cancelled"
        )
        told = f"Cancelled by {by}" + (f"; {count(stopped, 'workflow')} not sent." if stopped else ".")
        note(run, "cancelled", told, now)
    return True


def expire_run(run: TestRun, *, now: datetime) -> bool:
    """Ask for the end of a run past its time limit; True for the first who did."""
    if run.deadline is None or now < run.deadline or run.cancel_requested_at or run.silent_since:
        return False
    return request_cancel(run, by=f"its time limit of {run.plan['timeout']} s", now=now)


def was_expired(run: TestRun) -> bool:
    """Whether it was the time limit, not a person, that asked for the end of the run."""
    return bool(run.cancel_requested_at and run.deadline and run.cancel_requested_at >= run.deadline)


def _who_cancelled(run: TestRun) -> str:
    asked = run.events.filter(kind="cancelled").order_by("id").values_list("text", flat=True).last()
    return (asked or "Cancelled.").split(";")[0].rstrip(".")


def _reason(workflows: list[tuple[str, int, str, str]]) -> str:
    """The reason in one line: how many ended badly, and what the first of them says."""
    bad = [
        row for row in workflows if WORST_FIRST.get(row[2]) != Status.PASSED and row[2] not in ("", "skipped")
    ]
    if not bad:
        return (
            ""
            if any(row[2] != "skipped" for row in workflows)
            else "Nothing ran: every workflow was skipped."
        )
    name, position, conclusion, why = bad[0]
    first = f"{name} #{position} {_IN_WORDS.get(conclusion, conclusion)}" + (f" ({why})" if why else "")
    return f"{len(bad)} of {len(workflows)} workflows did not pass; the first: {first}"
