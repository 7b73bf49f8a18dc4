"""What the phases of the performance track share, and what each tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.files.storage import Storage

from performance.models import TrackRun, Workload, WorkloadRun
from performance.readings import measured

TRIES = 3  # at a run that measures its target whole: a machine that is busy for a moment proves nothing


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

    `make_run(workload, component=…, …)` starts a run and drives it to its end; `steps` is the same load in
    rising steps, where there is one.
    """

    track: TrackRun
    workload: Workload
    steps: Workload | None
    make_run: Callable[..., WorkloadRun]
    clock: Callable[[], datetime]
    storage: Storage
    improvement: Improvement | None = None
    rounds: int = 3
    runs: list[WorkloadRun] = field(default_factory=list)

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
