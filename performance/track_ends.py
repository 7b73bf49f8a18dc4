"""Who drives a track, how it is cancelled, and how it ends when nobody drives it any more."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from access import audit
from access.models import User
from performance.comparison import cancel_comparison
from performance.models import Comparison, TrackRun
from performance.track_result import CANCELLED, ERROR, completed
from tracking.drive import is_gone
from tracking.lifecycle import request_cancel

# Between two loads it may count samples for long; on its own machine a dead driver is seen at once.
LEASE = timedelta(minutes=5)
BEGINS = timedelta(seconds=20)  # until a worker that was asked for has begun, or never will
FORGOTTEN = timedelta(hours=1)  # until a track that no worker took up is given up


def take_track(pk: UUID | str, driver: str, *, now: datetime) -> bool:
    """Become or stay the driver of a running track; False where another one drives it or did."""
    free = Q(driver="") | Q(driver=driver)
    row = TrackRun.objects.running().filter(free, pk=pk)
    return bool(row.update(driver=driver, driver_until=now + LEASE))


def cancel_track(track: TrackRun, *, by: User | str, now: datetime) -> bool:
    """Ask for the end of `track`; True for the first who asked while it was going.

    Its driver ends the load that goes on and skips the phases that are left; without one it ends here.
    """
    rows = TrackRun.objects.running().filter(pk=track.pk, cancel_requested_at=None)
    if not rows.update(cancel_requested_at=now, cancelled_by=str(by)[:255]):
        return False
    audit.record("performance.track.cancel", actor=by, project=track.project, target=track)
    track.refresh_from_db()
    if not _is_driven(track, now):
        close_left(track, now=now)
    return True


def end_track(track: TrackRun, status: str, *, now: datetime, reason: str = "") -> bool:
    """Close a running track as `status`; True for the first who did.  Its comparison ends with it."""
    won = (
        TrackRun.objects.running()
        .filter(pk=track.pk)
        .update(
            status=status,
            reason=reason,
            summary=track.summary,
            completed_at=now,
            driver="",
            driver_until=None,
        )
    )
    going = track.progress.get("comparison")
    comparison = Comparison.objects.filter(pk=going, status="running").first() if going else None
    if won and comparison is not None:
        cancel_comparison(comparison, by=f"the end of the track {track}", now=now)
        for turn in comparison.turns.filter(run__run__status="running").select_related("run__run"):
            request_cancel(turn.run.run, by="the end of its track", now=now)
    track.refresh_from_db()
    return bool(won)


def close_left(track: TrackRun, *, now: datetime, why: str = "") -> bool:
    """Close a track that nobody drives; the results of the phases before are kept."""
    why = why or "The process that drove it was ended; the phases before it are kept."
    if track.cancel_requested_at:
        why = f"Cancelled by {track.cancelled_by}."
    status = CANCELLED if track.cancel_requested_at else ERROR
    track.summary = {
        **completed(track, why, (now - track.started_at).total_seconds()),
        "status": status,
    }
    return end_track(track, status, now=now, reason=why)


def sweep_track(track: TrackRun, *, now: datetime) -> bool:
    """Close `track` where its driver is gone; True where it waits for a worker and should be sent again."""
    if _is_driven(track, now):
        return False
    if track.driver or track.cancel_requested_at:
        close_left(track, now=now)
        return False
    if now > track.started_at + FORGOTTEN:
        close_left(track, now=now, why="No worker took it up within an hour; is one running?")
        return False
    return now > track.started_at + BEGINS


def _is_driven(track: TrackRun, now: datetime) -> bool:
    return bool(
        track.driver and not is_gone(track.driver) and track.driver_until and track.driver_until > now
    )
