"""What people say of a run after it ran: a note, that it is kept forever, that it does not count."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from access import audit
from access.models import User
from tracking.models import TestRun
from tracking.rollups import recount_day
from tracking.runner_rollups import recount_runner_day
from tracking.tracker import note

LONGEST = 2000


def annotate(run: TestRun, text: str, *, by: User | str, now: datetime) -> bool:
    """Keep `text` as the note of `run`; an empty one removes it.  False where nothing changed."""
    text = text.strip()[:LONGEST]
    with transaction.atomic():
        if not TestRun.objects.filter(pk=run.pk).exclude(note=text).update(note=text):
            return False
        note(run, "noted", f"{by} noted: {text}" if text else f"{by} removed the note.", now)
        audit.record("run.annotate", actor=by, project=run.project, target=run, note=text)
    return True


def pin(run: TestRun, *, pinned: bool, by: User | str, now: datetime) -> bool:
    """Keep `run` forever, or let the retention policies have it again.  False where nothing changed."""
    with transaction.atomic():
        if not TestRun.objects.filter(pk=run.pk, pinned=not pinned).update(pinned=pinned):
            return False
        told = "pinned it: it is kept forever." if pinned else "unpinned it: the retention policies apply."
        note(run, "pinned" if pinned else "unpinned", f"{by} {told}", now)
        audit.record("run.pin" if pinned else "run.unpin", actor=by, project=run.project, target=run)
    return True


def exclude(run: TestRun, reason: str, *, by: User | str, now: datetime) -> bool:
    """Take `run` out of the figures of its day, and so of trends and expectations; its tests follow.

    The run and its own figures stay as they are.  False where it was out already.

    Raises:
        ValueError: no reason was given.
    """
    reason = reason.strip()[:LONGEST]
    if not reason:
        raise ValueError("Say why it does not count, as in: the runners were down.")
    with transaction.atomic():
        changed = TestRun.objects.counted().filter(pk=run.pk)
        if not changed.update(excluded_at=now, excluded_by=str(by), excluded_reason=reason):
            return False
        _count_again(run)
        note(run, "excluded", f"{by} took it out of the statistics: {reason}", now)
        audit.record("run.exclude", actor=by, project=run.project, target=run, reason=reason)
    return True


def take_back(run: TestRun, *, by: User | str, now: datetime) -> bool:
    """Let `run` count again.  False where it counts already."""
    with transaction.atomic():
        changed = TestRun.objects.filter(pk=run.pk, excluded_at__isnull=False)
        if not changed.update(excluded_at=None, excluded_by="", excluded_reason=""):
            return False
        _count_again(run)
        note(run, "included", f"{by} took it back into the statistics.", now)
        audit.record("run.include", actor=by, project=run.project, target=run)
    return True


def _count_again(run: TestRun) -> None:
    if not run.is_running:  # one that goes on is counted, or left out, when it closes
        recount_day(run)
        recount_runner_day(run)
