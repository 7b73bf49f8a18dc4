"""Drive a workload run: one generator, watched once a second, and whatever it measured is kept.

Who drives holds the run's lease.  If it dies, the kernel ends its generator, and `finish_left` collects what
lies in the folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.files.storage import Storage

from performance.collecting import collect
from performance.generating import Generator
from performance.generators.base import how_it_ended
from performance.hosts import demand_own_host, own_hosts
from performance.models import WorkloadRun
from performance.saving import secrets_of
from performance.specification import FaultySpec
from tracking.drive import release, take_lease
from tracking.lifecycle import Status, close_run, request_cancel
from tracking.models import TestRun
from tracking.plan import NotRunnable
from tracking.tracker import note

LOOK, RENEW = 0.1, 10.0  # seconds between two looks, and to the next renewal of the lease
PATIENCE = 4.0  # seconds from asking a generator to end to ending it
SLACK = 120.0  # seconds that a generator may take beyond its load
Say = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Place:
    """Where loads are driven: the folder of their folders, and the storage of samples.

    `beside` are programs that run along with each generator; `{folder}` and `{generator}` (its process) are
    filled in.
    """

    folder: Path
    storage: Storage
    beside: Sequence[Sequence[str]] = ()

    def of(self, run: TestRun) -> Path:
        return self.folder / run.test_run_id


def drive_workload_run(
    workload_run: WorkloadRun,
    *,
    generator: str,
    place: Place,
    driver: str,
    clock: Callable[[], datetime],
    say: Say | None = None,
    stop: Callable[[], str] = lambda: "",
) -> TestRun:
    """Put the load on its target and return the run, ended; at once where another one drives it.

    Args:
        generator: the module of the generator.
        say: told what the generator says, once a second.
        stop: returns who wants the load to end now; asked all the time.
    """
    run = workload_run.run
    if not take_lease(run.pk, driver, now=clock()):
        return run
    driving = _Driving(workload_run, generator, place, driver, clock, say or (lambda _: None), stop)
    try:
        with contextlib.ExitStack() as held:
            if not driving.wait_for_turn(held):
                return driving.reload()
            return driving.go()
    finally:
        release(run.pk, driver)


def finish_left(workload_run: WorkloadRun, *, place: Place, now: datetime) -> TestRun:
    """Close a run whose driver is gone, with what was measured."""
    if not workload_run.run.is_running:
        return workload_run.run
    broken = "The process that drove it was ended; what had been measured by then was kept."
    return collect(workload_run, place.of(workload_run.run), place.storage, now=now, broken=broken)


@dataclass
class _Driving:
    workload_run: WorkloadRun
    module: str
    place: Place
    driver: str
    clock: Callable[[], datetime]
    say: Say
    stop: Callable[[], str]

    def __post_init__(self) -> None:
        self.run = self.workload_run.run
        self.renewed = self.said = time.monotonic()
        self.asked_at: float | None = None
        self.broken, self.until = "", float("inf")

    def wait_for_turn(self, held: contextlib.ExitStack) -> bool:
        """One load at a time on a machine: two would measure each other.  False where it ended meanwhile."""
        self.place.folder.mkdir(parents=True, exist_ok=True)
        lock = held.enter_context((self.place.folder / "one-load.lock").open("w"))
        told = False
        while not _locked(lock):
            if not told:
                note(self.run, "waits", "Waits for another load on this machine to end.", self.clock())
                told = True
            self.heed_wishes()
            if not self.keep_lease() or self.reload().cancel_requested_at or self.is_late():
                self.give_up()
                return False
            time.sleep(LOOK)
        return True

    def go(self) -> TestRun:
        """Start, watch and collect."""
        if self.reload().cancel_requested_at:
            self.give_up()
            return self.reload()
        try:
            demand_own_host(self.workload_run.workload.project, self.run.plan["target"])
            plan = self.plan()
        except (NotRunnable, FaultySpec) as refusal:
            close_run(self.run, Status.ERROR, reason=f"Nothing was sent. {refusal}", now=self.clock())
            return self.reload()
        generator = Generator(self.module, self.place.of(self.run), beside=self.place.beside)
        try:
            try:
                generator.start(plan, secrets_of(self.workload_run.workload))
            except OSError as problem:
                reason = f"Nothing was sent. {self.place.folder} can't be written: {problem.strerror}."
                close_run(self.run, Status.ERROR, reason=reason, now=self.clock())
                return self.reload()
            WorkloadRun.objects.filter(pk=self.run.pk).update(load_started_at=self.clock())
            if seconds := self.run.plan.get("seconds"):
                self.until = time.monotonic() + seconds + SLACK
            kept = self.watch(generator)
            generator.end_others()
        finally:
            generator.kill()
        if not kept:
            return self.reload()
        self.workload_run.refresh_from_db()
        self.run = self.workload_run.run
        return collect(
            self.workload_run,
            self.place.of(self.run),
            self.place.storage,
            now=self.clock(),
            broken=self.broken,
        )

    def watch(self, generator: Generator) -> bool:
        """Look on until the generator has ended; False where another driver took the run over."""
        while (code := generator.exit_code) is None:
            time.sleep(LOOK)
            self.heed_wishes()
            if self.asked_at and time.monotonic() - self.asked_at > PATIENCE:
                generator.kill()
            if time.monotonic() - self.said < 1.0:
                continue
            self.said = time.monotonic()
            if not self.keep_lease():
                return False
            self.pass_on(generator)
        if not generator.end and not self.broken:
            self.broken = _how_it_ended(code, generator.last_words())
        return True

    def pass_on(self, generator: Generator) -> None:
        """Tell how it goes, and heed what was asked of the run meanwhile."""
        if progress := generator.progress:
            WorkloadRun.objects.filter(pk=self.run.pk).update(progress=progress)
            self.say(progress)
        if self.asked_at is not None:
            return
        if self.reload().cancel_requested_at:
            self.ask(generator)
        elif self.is_late():
            self.broken = (
                f"The load took longer than its limit of {self.run.plan['timeout']} s and was ended."
            )
            self.ask(generator)

    def ask(self, generator: Generator) -> None:
        self.asked_at = time.monotonic()
        generator.ask_to_end()

    def heed_wishes(self) -> None:
        if (who := self.stop()) and not self.run.cancel_requested_at:
            request_cancel(self.run, by=who, now=self.clock())
            self.run.refresh_from_db()
            self.said = 0.0  # act on it now, not in a second

    def keep_lease(self) -> bool:
        if time.monotonic() - self.renewed < RENEW:
            return True
        self.renewed = time.monotonic()
        return take_lease(self.run.pk, self.driver, now=self.clock())

    def is_late(self) -> bool:
        return bool(self.run.deadline and self.clock() > self.run.deadline)

    def give_up(self) -> None:
        """End a run that never got its turn."""
        if self.run.cancel_requested_at:
            close_run(self.run, Status.CANCELLED, reason="Cancelled before it began.", now=self.clock())
        elif self.is_late():
            reason = "Other loads on this machine left no time for it within its limit."
            close_run(self.run, Status.ERROR, reason=reason, now=self.clock())

    def reload(self) -> TestRun:
        self.run.refresh_from_db()
        return self.run

    def plan(self) -> dict[str, Any]:
        """What the generator is told; no secret is in it."""
        frozen = self.run.plan
        return {
            "run": self.run.test_run_id,
            "spec": self.workload_run.spec,
            "seed": self.workload_run.seed,
            "hosts": own_hosts(self.workload_run.workload.project),
            **{key: frozen[key] for key in ("target", "headers", "variables", "locustfile")},
        }


def _locked(lock: Any) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _how_it_ended(code: int, words: str) -> str:
    told = f" Its last words: {words}" if words and code > 0 else ""
    return (
        f"The generator ended without saying why ({how_it_ended(code)}); what it had measured was kept.{told}"
    )
