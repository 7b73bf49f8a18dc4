"""Close a run that has ended, was ended, or will never say how it ended."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from tracking.ci import CIRefused, CIService
from tracking.lifecycle import Status, close_run, settle_run, was_expired
from tracking.models import TestRun
from tracking.silence import PATIENCE, is_silent_for_good
from tracking.tracker import note


class Ask(Protocol):
    """Asks the service once more about a run; True if it answered."""

    def __call__(self, run: TestRun, *, ci: CIService, now: datetime) -> bool: ...


def settle(run: TestRun, *, ci: CIService, now: datetime, ask: Ask) -> bool:
    """Close `run` if the time has come; True for the caller who closed it."""
    if is_silent_for_good(run, now=now):
        abandon(run, f"{run.plan['service']} did not answer for {PATIENCE.total_seconds() / 3600:.0f} hours")
        return close_run(run, Status.ERROR, reason="Its CI service fell silent.", now=now)
    if was_expired(run):
        return _close_expired(run, ci, now)
    if run.workflow_runs.open().exists():
        if run.cancel_requested_at and now > run.cancel_requested_at + ci.grace:
            abandon(run, f"it did not end within {_seconds(ci)} of being cancelled")
            return settle_run(run, now=now)
        return False
    sure = not ci.confirms or run.cancel_requested_at or ask(run, ci=ci, now=now)
    if not sure or run.workflow_runs.open().exists():
        return False
    return settle_run(run, now=now)


def abandon(run: TestRun, reason: str) -> None:
    """Give up what is still open; it is not known how it ended."""
    run.workflow_runs.open().update(conclusion="cancelled", reason=f"abandoned: {reason}")


def end_latecomers(run: TestRun, *, ci: CIService, now: datetime) -> int:
    """Cancel what turned up after its run was cancelled and closed; return how many were.

    Raises:
        CIUnavailable: the service did not answer; the rest is to be asked for again.
    """
    ended = 0
    for workflow in run.workflow_runs.latecomers().order_by("position"):
        try:
            ci.cancel(workflow, now=now, force=False)
            told = f"{workflow} turned up after the run had been cancelled; it was cancelled too."
        except CIRefused as refusal:
            told = f"{workflow} turned up after the run had been cancelled and can't be: {refusal}"
        workflow.cancel_asked_at = now
        workflow.save(update_fields=["cancel_asked_at"])
        note(run, "surplus", told, now)
        ended += 1
    return ended


def _close_expired(run: TestRun, ci: CIService, now: datetime) -> bool:
    """A run past its limit is an error, whatever its workflows still say."""
    assert run.cancel_requested_at is not None  # noqa: S101 - by was_expired
    if run.workflow_runs.open().exists():
        if now <= run.cancel_requested_at + ci.grace:
            return False
        abandon(run, f"it did not end within {_seconds(ci)} of the time limit")
    reason = f"The run took longer than its limit of {run.plan['timeout']} s and was ended."
    return close_run(run, Status.ERROR, reason=reason, now=now)


def _seconds(ci: CIService) -> str:
    return "a minute" if ci.grace.total_seconds() == 60 else f"{ci.grace.total_seconds():.0f} s"
