"""The performance track: all phases in order against one target, a result for each, one summary.

A phase that fails does not stop the rest; a phase without which the next ones can't be is said.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from performance.models import TrackRun
from performance.phases import PHASES
from performance.scene import Scene, Told

PASSED, FAILED, ERROR, SKIPPED = "passed", "failed", "error", "skipped"


@dataclass
class Phase:
    """One phase's result, in the shape of performance_track_summary.json; `duration` in seconds."""

    name: str
    status: str = SKIPPED
    duration: float = 0.0
    tests: int = 0
    passed: int = 0
    failed: int = 0
    findings: list[str] = field(default_factory=list)


def run_track(
    scene: Scene,
    *,
    say: Callable[[Phase], None] = lambda phase: None,
    is_wanted: Callable[[], bool] = lambda: True,
) -> TrackRun:
    """Go through all phases and keep each result as soon as it is there.

    Args:
        say: told of each phase when it has ended.
        is_wanted: False once somebody wants it to end; the phases that are left are skipped.
    """
    track, phases, begun = scene.track, [], time.monotonic()
    for name, phase in PHASES.items():
        done = (
            _run(name, phase, scene) if is_wanted() else Phase(name, findings=["It was interrupted before."])
        )
        phases.append(done)
        track.summary = summarized(phases, time.monotonic() - begun)
        track.save(update_fields=["summary"])
        say(done)
    track.status = track.summary["status"]
    track.completed_at = scene.clock()
    track.save(update_fields=["status", "completed_at"])
    return track


def summarized(phases: list[Phase], duration: float) -> dict[str, Any]:
    """Return performance_track_summary.json: passed, unless a phase failed or broke."""
    seen = {phase.status for phase in phases}
    status = ERROR if ERROR in seen else FAILED if FAILED in seen else PASSED
    if seen == {SKIPPED}:
        status = ERROR
    return {
        "status": status,
        "duration": round(duration, 3),
        "phases": [asdict(phase) for phase in phases],
    }


def _run(name: str, phase: Callable[[Scene], Told], scene: Scene) -> Phase:
    begun = time.monotonic()
    try:
        told = phase(scene)
    except Exception as problem:
        text = f"It broke off: {type(problem).__name__}: {problem}"
        return Phase(name, ERROR, round(time.monotonic() - begun, 3), 1, 0, 1, [text])
    passed = sum(held for _, held in told.checks)
    failed = len(told.checks) - passed
    status = SKIPPED if told.is_skipped else FAILED if failed else PASSED
    return Phase(
        name, status, round(time.monotonic() - begun, 3), len(told.checks), passed, failed, told.findings
    )
