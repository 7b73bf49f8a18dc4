"""Drive the whole track with this installation's settings: for a shell, and for a worker."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from django.core.files.storage import storages
from django.utils import timezone

from performance.management.driving import drive_here, run_apart
from performance.models import TrackRun, Workload, WorkloadRun
from performance.scene import Improvement, Scene
from performance.track import run_track
from performance.track_ends import cancel_track, close_left, take_track
from performance.track_loads import steps_of
from performance.track_result import Phase
from performance.trigger import start_workload_run
from tracking.drive import driver_name

LOOK, RENEW = 1.0, 10.0  # seconds between two looks at the wishes in the database, and to the next renewal
Tell = Callable[[str], None]


def track_driver() -> str:
    """Under which name this process drives a track."""
    return driver_name("track")


@dataclass
class Wishes:
    """Who wants the track to end: heard by this process, or kept in the database by a page or the API.

    Asked all the time while a load goes on, so it also keeps the lease.
    """

    track: TrackRun
    heard: list[str] = field(default_factory=list)
    looked: float = 0.0
    renewed: float = 0.0
    found: str = ""

    def __call__(self) -> str:
        now = time.monotonic()
        if self.found:
            return self.found
        if self.heard:
            self.found = self.heard[0]
            cancel_track(self.track, by=self.found, now=timezone.now())
        elif now - self.looked > LOOK:
            self.looked = now
            self.found = self.look(now)
        return self.found

    def look(self, now: float) -> str:
        """What the database says."""
        row = TrackRun.objects.filter(pk=self.track.pk).values("status", "cancelled_by").first()
        if row is None or row["status"] != "running":
            return "somebody who closed the track"
        if not row["cancelled_by"] and now - self.renewed > RENEW:
            self.renewed = now
            take_track(self.track.pk, track_driver(), now=timezone.now())
        return str(row["cancelled_by"])


def drive_track(
    track: TrackRun,
    *,
    workload: Workload,
    tell: Tell = lambda _: None,
    show: Callable[[dict[str, Any]], None] | None = None,
    ended: Callable[[Phase], None] = lambda _: None,
    heard: list[str] | None = None,
    steps: Workload | None = None,
    improvement: Improvement | None = None,
) -> TrackRun:
    """Run all phases of `track`, which this process drives, and return it, ended.

    Args:
        show: told how each load goes, once a second.
        heard: who wants the end; looked at all the time.
    """
    wishes = Wishes(track, [] if heard is None else heard)
    scene = Scene(
        track=track,
        workload=workload,
        steps=steps or steps_of(workload),
        start_run=partial(_start, track, tell),
        drive_run=partial(_drive, wishes, show),
        clock=timezone.now,
        storage=storages["artifacts"],
        improvement=improvement,
        rounds=track.rounds,
        is_wanted=lambda: not wishes(),
    )
    try:
        return run_track(scene, say=ended)
    finally:  # broken between two phases it must not look as if it went on
        track.refresh_from_db()
        if track.is_running:
            close_left(track, now=timezone.now())


def drive_track_here(pk: UUID, *, heard: list[str]) -> None:
    """Drive a track that was begun elsewhere, if nobody does."""
    if not take_track(pk, track_driver(), now=timezone.now()):
        return
    track = TrackRun.objects.for_page().get(pk=pk)
    found = Workload.objects.with_all().filter(track_runs=pk).first()
    if found is None:
        close_left(track, now=timezone.now(), why="Its workload is gone.")
        return
    drive_track(track, workload=found, heard=heard)


def drive_track_apart(pk: UUID | str) -> None:
    """Drive a track in a process of its own."""
    run_apart("performance_track", "--begun", str(pk))


def _start(track: TrackRun, tell: Tell, load: Workload, **fields: Any) -> WorkloadRun:
    metadata = {**fields.pop("metadata", {}), "track": str(track.pk)}
    fields |= {"triggered_by": track.triggered_by, "now": timezone.now(), "driver": driver_name("workload")}
    started = start_workload_run(load, metadata=metadata, **fields)
    tell(f"    {started.component or load}: {started}")
    return started


def _drive(
    wishes: Wishes, show: Callable[[dict[str, Any]], None] | None, started: WorkloadRun
) -> WorkloadRun:
    drive_here(started.pk, say=show, stop=wishes)
    return WorkloadRun.objects.for_driving().get(pk=started.pk)
