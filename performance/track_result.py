"""What a track has found so far: a result for each phase, and one summary of all."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from performance.models import TrackRun
from performance.phases import PHASES

PASSED, FAILED, ERROR, SKIPPED, CANCELLED = "passed", "failed", "error", "skipped", "cancelled"
RUNNING, WAITING = "running", "waiting"
INTERRUPTED = "It was interrupted before its end."


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


def summarized(phases: list[Phase], duration: float) -> dict[str, Any]:
    """Return performance_track_summary.json: passed, unless a phase failed, broke, or was interrupted."""
    seen = {phase.status for phase in phases}
    status = ERROR if ERROR in seen else FAILED if FAILED in seen else PASSED
    if seen == {SKIPPED}:
        status = ERROR
    if any(INTERRUPTED in phase.findings for phase in phases):
        status = CANCELLED
    return {
        "status": status,
        "duration": round(duration, 3),
        "phases": [asdict(phase) for phase in phases],
    }


def phases_of(track: TrackRun) -> list[dict[str, Any]]:
    """Return every phase of `track` in order; one without a result yet is `running` or `waiting`."""
    done = track.summary.get("phases", [])
    if not track.is_running:
        return list(done)
    known = {phase["name"]: phase for phase in done}
    return [
        known.get(name) or asdict(Phase(name, RUNNING if track.progress.get("phase") == name else WAITING))
        for name in PHASES
    ]


def completed(track: TrackRun, why: str, duration: float) -> dict[str, Any]:
    """Return the summary of a track that ends here: the phase that went on broke off, the rest is skipped.

    Args:
        duration: seconds from its start to its end.
    """
    done = [Phase(**phase) for phase in track.summary.get("phases", [])]
    named = {phase.name for phase in done}
    for name in PHASES:
        if name in named:
            continue
        went_on = track.progress.get("phase") == name
        done.append(Phase(name, ERROR, 0.0, 1, 0, 1, [why]) if went_on else Phase(name, findings=[why]))
    return summarized(done, duration)
