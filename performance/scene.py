"""What the phases of the performance track share, and what each tells."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.files.storage import Storage

from performance.models import TrackRun, Workload, WorkloadRun
from performance.readings import measured

WAIT = 0.5  # seconds between two looks at a turn that somebody else drives
TRIES = 3  # at a run that measures its target whole: a machine that is busy for a moment proves nothing


class Interrupted(Exception):
    """Somebody wants the track to end: no more load is put on anything."""


@dataclass(frozen=True, slots=True)
class Improvement:
    """What the track itself tries: the component before a change, and the one after it."""

    name: str
    description: str
    before: str
    after: str


@dataclass
class Scene:
    """What all phases share: the loads, how one is put on, and what they have measured so far.

    `start_run(workload, component=…, …)` starts a run that this process drives, `drive_run(run)` drives it
    to its end; `steps` is the same load in rising steps, where there is one; `is_wanted()` is False once
    somebody wants the track to end.
    """

    track: TrackRun
    workload: Workload
    steps: Workload | None
    start_run: Callable[..., WorkloadRun]
    drive_run: Callable[[WorkloadRun], WorkloadRun]
    clock: Callable[[], datetime]
    storage: Storage
    improvement: Improvement | None = None
    rounds: int = 3
    is_wanted: Callable[[], bool] = lambda: True
    wait: Callable[[], None] = lambda: time.sleep(WAIT)
    runs: list[WorkloadRun] = field(default_factory=list)

    def make_run(self, workload: Workload, **fields: Any) -> WorkloadRun:
        """Start a run and drive it to its end.

        Raises:
            Interrupted: instead of another load, and after one that was ended by the wish.
        """
        self.go_on()
        return self.drive(self.start_run(workload, **fields))

    def drive(self, started: WorkloadRun) -> WorkloadRun:
        """Drive a run of the track to its end, seen from outside meanwhile."""
        self.tell(run=started.run.test_run_id)
        ended = self.drive_run(started)
        self.go_on()
        return ended

    def go_on(self) -> None:
        """Raise Interrupted where the track is not wanted any more."""
        if not self.is_wanted():
            raise Interrupted

    def begin(self, phase: str) -> None:
        """Keep which phase goes on."""
        self.track.progress = {}
        self.tell(phase=phase)

    def tell(self, **news: str) -> None:
        """Keep what goes on just now, for who looks at the track and for who closes it."""
        self.track.progress = {**self.track.progress, **news}
        self.track.save(update_fields=["progress"])

    def whole_run(self, workload: Workload, **fields: Any) -> WorkloadRun:
        """Make a run, and once more where it did not measure its target whole; the last one counts."""
        for _ in range(TRIES):
            run = self.keep(self.make_run(workload, **fields))
            if measured(run):
                break
        return run

    def keep(self, run: WorkloadRun) -> WorkloadRun:
        """Remember a run of the load itself, which tells how much identical ones differ."""
        if run.run.metadata.get("calibration"):
            self.runs.append(run)
        return run


@dataclass
class Told:
    """What a phase found: its checks with whether each held, and its findings in sentences."""

    checks: list[tuple[str, bool]] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    is_skipped: bool = False

    def check(self, name: str, held: Any, why: str = "") -> bool:
        self.checks.append((name, bool(held)))
        if not held:
            self.findings.append(f"Not so: {name}." + (f" {why}" if why else ""))
        return bool(held)
