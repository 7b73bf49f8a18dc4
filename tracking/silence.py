"""A service that does not answer: noted once, not counted against the run, and ended some day."""

from __future__ import annotations

from datetime import datetime, timedelta

from tracking.ci import CIBusy, CIUnavailable
from tracking.models import TestRun
from tracking.tracker import note

PATIENCE = timedelta(hours=24)  # with a silent service; then its runs are closed without it
LONG = 30.0  # seconds; a shorter wait for the service's limits is not worth a line


def silence_of(run: TestRun, silence: CIUnavailable, *, now: datetime) -> bool:
    """Note since when the service is silent; say it once, not at every try.  True if that was news.

    A turn that has to be waited for is no silence: the service is there.
    """
    if isinstance(silence, CIBusy):
        return _tell_busy(run, silence, now)
    if run.silent_since:
        return False
    TestRun.objects.filter(pk=run.pk).update(silent_since=now)
    run.silent_since = now
    note(run, "waiting", f"{_service(run)} did not answer ({silence}); trying again.", now)
    return True


def heard(run: TestRun, *, now: datetime) -> None:
    """The service answers (again): the time of its silence is taken off the run's."""
    if run.silent_since is None:
        return
    silent = max((now - run.silent_since).total_seconds(), 0.0)
    TestRun.objects.filter(pk=run.pk).update(silent_since=None, silent_seconds=run.silent_seconds + silent)
    run.silent_since, run.silent_seconds = None, run.silent_seconds + silent
    note(run, "answered", f"{_service(run)} answers again after {silent:.0f} s.", now)


def is_silent_for_good(run: TestRun, *, now: datetime) -> bool:
    """Whether the service has been silent for so long that nobody should wait any more."""
    return bool(run.silent_since and now > run.silent_since + PATIENCE)


def _tell_busy(run: TestRun, busy: CIBusy, now: datetime) -> bool:
    """A long wait for the service's limits is told once; the short ones between two calls are not."""
    seconds = busy.retry_after or 0
    last = run.events.order_by("-id").first()
    if seconds < LONG or (last and last.kind == "busy"):
        return False
    note(run, "busy", f"Waiting {seconds:.0f} s for the limits of {_service(run)}: {busy}", now)
    return True


def _service(run: TestRun) -> str:
    return str(run.plan.get("service") or run.environment.service)
