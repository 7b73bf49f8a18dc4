"""The performance track: all phases in order against one target, a result for each, one summary.

A phase that fails does not stop the rest; a phase without which the next ones can't be is said.  Shells and
workers drive it alike; `performance.track_ends` tells who does, and closes what they left.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from access import audit
from access.models import User
from performance.models import TrackRun, Workload
from performance.phases import PHASES
from performance.scene import Interrupted, Scene, Told
from performance.track_ends import LEASE, end_track, sweep_track
from performance.track_result import (
    CANCELLED,
    ERROR,
    FAILED,
    INTERRUPTED,
    PASSED,
    SKIPPED,
    Phase,
    summarized,
)
from performance.trigger import check_workload
from tracking.plan import NotRunnable

ROUNDS, FEWEST_ROUNDS, MOST_ROUNDS = 3, 2, 20  # one run of each component has no interval


class GoesOn(NotRunnable):
    """A track of that workload goes on already; two would measure each other."""


def start_track(
    workload: Workload,
    *,
    by: User | str,
    now: datetime,
    rounds: int = ROUNDS,
    triggered_by: str = "",
    driver: str = "",
) -> TrackRun:
    """Begin a track of `workload`; nothing is sent yet.  Without `driver` a worker takes it up.

    Args:
        triggered_by: in whose name, where that is not who asks.

    Raises:
        NotAllowed, FaultySpec, NotRunnable: the load can't be put on; nothing was stored.
        GoesOn: one goes on.
    """
    check_workload(workload)
    with transaction.atomic():
        Workload.objects.select_for_update().get(pk=workload.pk)
        for going in TrackRun.objects.running().filter(workload=workload):
            sweep_track(going, now=now)
            if going.is_running:
                raise GoesOn(f"A track of {workload} goes on since {going} (UTC); wait for it or cancel it.")
        track = TrackRun.objects.create(
            project=workload.project,
            workload=workload,
            target=workload.target,
            rounds=rounds,
            triggered_by=(triggered_by or str(by))[:255],
            started_at=now,
            driver=driver,
            driver_until=now + LEASE if driver else None,
        )
        audit.record("performance.track.start", actor=by, project=track.project, target=track)
    return track


def run_track(scene: Scene, *, say: Callable[[Phase], None] = lambda phase: None) -> TrackRun:
    """Go through all phases and keep each result as soon as it is there.

    Once it is not wanted any more (`scene.is_wanted`), the phase that goes on and those after it are
    skipped, and the track is cancelled.

    Args:
        say: told of each phase when it has ended.
    """
    track, phases, begun = scene.track, [], time.monotonic()
    for name, phase in PHASES.items():
        scene.begin(name)
        done = _run(name, phase, scene)
        phases.append(done)
        track.summary = summarized(phases, time.monotonic() - begun)
        track.save(update_fields=["summary"])
        say(done)
    status, reason = track.summary["status"], ""
    if status == CANCELLED:
        track.refresh_from_db(fields=["cancelled_by"])
        reason = f"Cancelled by {track.cancelled_by or track.triggered_by}."
    end_track(track, status, now=scene.clock(), reason=reason)
    return track


def _run(name: str, phase: Callable[[Scene], Told], scene: Scene) -> Phase:
    begun = time.monotonic()
    try:
        scene.go_on()
        told = phase(scene)
    except Interrupted:
        return Phase(name, SKIPPED, round(time.monotonic() - begun, 3), findings=[INTERRUPTED])
    except Exception as problem:
        text = f"It broke off: {type(problem).__name__}: {problem}"
        return Phase(name, ERROR, round(time.monotonic() - begun, 3), 1, 0, 1, [text])
    passed = sum(held for _, held in told.checks)
    failed = len(told.checks) - passed
    status = SKIPPED if told.is_skipped else FAILED if failed else PASSED
    return Phase(
        name, status, round(time.monotonic() - begun, 3), len(told.checks), passed, failed, told.findings
    )
