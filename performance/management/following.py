"""See what follows from workload runs that have ended, with this installation's settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.utils import timezone

from performance.models import Comparison, WorkloadRun
from performance.proving import advance_comparison, after_run
from performance.trigger import start_workload_run

log = structlog.get_logger(__name__)
AT_ONCE = 50


def follow_ended(send: Callable[[str], Any]) -> int:
    """Watch the series of what has ended, start the turns that are due, and have them driven by `send`.

    Safe to repeat and to be done by several at once.  Returns how many runs were looked at.
    """
    ended = list(WorkloadRun.objects.unwatched().for_driving()[:AT_ONCE])
    for workload_run in ended:
        _follow(workload_run, send)
    for comparison in Comparison.objects.filter(status=Comparison.Status.RUNNING):
        try:
            started = advance_comparison(comparison, start=start_workload_run, now=timezone.now())
        except Exception:  # those behind it, of other projects too, are not to wait for it
            log.exception("comparison_not_advanced", comparison=str(comparison.pk))
            continue
        if started:
            send(str(started.pk))
    return len(ended)


def _follow(workload_run: WorkloadRun, send: Callable[[str], Any]) -> None:
    try:
        started = after_run(
            workload_run,
            start=start_workload_run,
            now=timezone.now(),
            may_confirm=settings.CONFIRM_CHANGES,
        )
    except Exception:  # the next sweep would meet it again, and again
        log.exception("workload_run_not_watched", run=str(workload_run))
        WorkloadRun.objects.filter(pk=workload_run.pk).update(watched_at=timezone.now())
        return
    for run in started:
        send(str(run.pk))
