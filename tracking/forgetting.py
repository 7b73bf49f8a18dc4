"""Let go of local jobs whose run is gone: of their output on this machine first, then of their rows."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from tracking.job_files import job_folder
from tracking.models import LocalJob, WorkflowRun

PIECE = 500


def forget_jobs(folder: Path, *, host: str) -> int:
    """Remove files and rows of the jobs that ran on `host` and belong to no run any more; return how many.

    Interrupted anywhere it may be repeated: a row goes after its files.  What can't be removed stays
    for the next time.
    """
    gone = last = 0
    left_over = LocalJob.objects.left_over(host, WorkflowRun.objects.all()).only("dispatch_id")
    while piece := list(left_over.filter(pk__gt=last).order_by("pk")[:PIECE]):
        last = piece[-1].pk
        removed = [job.pk for job in piece if _remove(job_folder(folder, job.dispatch_id))]
        LocalJob.objects.filter(pk__in=removed).delete()
        gone += len(removed)
    return gone


def _remove(place: Path) -> bool:
    shutil.rmtree(place, ignore_errors=True)
    if place.exists():
        return False
    with suppress(OSError):  # others lie in it, or there is none
        place.parent.rmdir()
    return True
