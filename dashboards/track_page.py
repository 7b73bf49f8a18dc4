"""What the page of a track says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from analysis.wording import count
from dashboards.states import State, state
from performance.models import TrackRun, WorkloadRun
from performance.track_result import RUNNING, WAITING, phases_of

WORDS = {
    "workload_setup": "Can load be put on the target, and does every answer pass its checks?",
    "metrics": "How does it answer, and how much do identical runs differ?",
    "bottlenecks": "What holds it back?",
    "optimizations": "Did what was changed help?",
    "component_comparison": "Which component is better?",
}


@dataclass(frozen=True, slots=True)
class PhaseRow:
    """A phase with what it asks; `result` has the keys of performance_track_summary.json."""

    result: dict[str, Any]
    asks: str
    state: State

    @property
    def has_ended(self) -> bool:
        return self.result["status"] not in (RUNNING, WAITING)


def phases(track: TrackRun) -> list[PhaseRow]:
    """Return every phase in order, also those that have not begun."""
    return [
        PhaseRow(
            one,
            WORDS.get(one["name"], ""),
            state("planned", WAITING) if one["status"] == WAITING else state(one["status"]),
        )
        for one in phases_of(track)
    ]


def load_going_on(track: TrackRun) -> WorkloadRun | None:
    """Return the load that the track puts on its target just now."""
    named = track.progress.get("run") if track.is_running else None
    if not named:
        return None
    found: WorkloadRun | None = (
        WorkloadRun.objects.for_list().running().filter(run__test_run_id=named).first()
    )
    return found


def sentence(track: TrackRun) -> str:
    """What somebody reads who reads one line."""
    rows = phases_of(track)
    if not track.is_running:
        failed = [one["name"] for one in rows if one["status"] in ("failed", "error")]
        if failed:
            return f"Look at: {', '.join(failed).replace('_', ' ')}."
        if track.status != "passed":
            return track.reason
        return " ".join(["Every check of every phase held.", *_answers(track)])
    if track.cancel_requested_at:
        return f"Being cancelled by {track.cancelled_by}; what was measured is kept."
    if not track.driver:
        return "Waits for a worker to take it up."
    ended = sum(one["status"] not in (RUNNING, WAITING) for one in rows)
    return f"{ended} of {count(len(rows), 'phase')} done; the rest follows by itself."


def _answers(track: TrackRun) -> list[str]:
    """What a reader asks first: what holds the target back, and which component is better."""
    found = {one["name"]: one["findings"] for one in phases_of(track)}
    firsts = [found.get(name, [])[:1] for name in ("bottlenecks", "component_comparison")]
    return [finding for first in firsts for finding in first]
