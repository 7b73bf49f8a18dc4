"""Drive a run from a command's own process: no server and no broker needed."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import OperationalError
from django.utils import timezone

from tracking import ci, drive, tasks, tracking_file
from tracking.models import TestRun
from tracking.runner import LocalRunner

RENEW = 10.0  # seconds; a third of the lease
BUSY, WATCHING = 0.1, 1.0  # seconds between two looks
AGAIN = 20.0  # seconds until one that runs a whole run is looked after again
PATIENCE = 60.0  # seconds that a locked or restarting database is waited for


class Drive:
    """Sends, runs and follows one run until it has ended or `stop` says so.

    `warn` is told, once each, of what does not stop the run but somebody should know.
    """

    def __init__(self, run_pk: UUID, driver: str, warn: Callable[[str], None] = lambda _: None) -> None:
        self.run_pk, self.driver, self.warn = run_pk, driver, warn
        self.ci: ci.CIService | None = None
        self.runner: LocalRunner | None = None
        self.renewed, self.holds = time.monotonic(), True
        self.handed: float | None = None
        self.path: Path | None = None
        self.warned: set[str] = set()
        self.before_each: Callable[[], None] = lambda: None

    def load(self) -> TestRun:
        run: TestRun = TestRun.objects.for_file().get(pk=self.run_pk)
        return run

    def until_closed(
        self,
        after_each: Callable[[TestRun], None],
        stop: Callable[[], bool],
        before_each: Callable[[], None] = lambda: None,
    ) -> TestRun:
        """Drive to the end; `after_each` sees the run whenever something changed.

        Raises:
            OperationalError: the database could not be used for a minute.
        """
        try:
            return self._until_closed(after_each, stop, before_each)
        finally:
            if self.runner:
                self.runner.leave()

    def _until_closed(
        self,
        after_each: Callable[[TestRun], None],
        stop: Callable[[], bool],
        before_each: Callable[[], None],
    ) -> TestRun:
        silent_since: float | None = None
        self.before_each = before_each
        while not stop():
            try:
                before_each()
                run, changed = self.step(timezone.now())
                if changed:
                    self.save(run)
                    after_each(run)
                silent_since = None
            except OperationalError as problem:
                silent_since = silent_since or time.monotonic()
                if time.monotonic() - silent_since > PATIENCE:
                    raise
                self._warn_once(f"The database can't be used just now ({problem}); trying again.")
                time.sleep(1)
                continue
            if not run.is_running:
                return run
            time.sleep(BUSY if self.holds else WATCHING)
        return self.load()

    def step(self, now: datetime) -> tuple[TestRun, bool]:
        """Look once; return the run as it is now and whether something changed."""
        run = self.load()
        if run.is_handed_over:
            return self._look_on(run), True
        if self.ci is None:
            service = str(run.plan.get("service") or run.environment.service)
            self.ci = ci.connect(service, run.project)
            self.runner = local_runner() if service == "local" else None
        self._renew(run, now)
        moved = bool(self.runner.tick(now)) if self.runner else False
        if not run.is_running or not self.holds:
            return run, True
        changed = drive.advance(run, ci=self.ci, now=timezone.now(), renew=self._still_holds)
        if drive.awaits_results(run):
            tasks.hand_over_here(run)
            changed = True
        return (self.load() if changed else run), changed or moved

    def _look_on(self, run: TestRun) -> TestRun:
        """Let what runs this kind of run begin, and again where its process is gone."""
        if run.is_running and (self.handed is None or time.monotonic() - self.handed > AGAIN):
            drive.release(self.run_pk, self.driver)
            tasks.hand_over_here(run)
            self.handed, self.holds = time.monotonic(), False
        return run

    def save(self, run: TestRun) -> None:
        """Write the tracking file; a full disk stops no run, the database has the same."""
        try:
            self.path = tracking_file.write(run, settings.DATA, timezone.now())
        except OSError as problem:
            self._warn_once(f"The tracking file can't be written: {problem}.")

    def _renew(self, run: TestRun, now: datetime) -> None:
        """Keep the lease; who was stopped for long may find another one driving, and then only watches."""
        if run.is_running and (not self.holds or time.monotonic() - self.renewed > RENEW):
            self.holds = drive.take_lease(self.run_pk, self.driver, now=now)
            self.renewed = time.monotonic()

    def _still_holds(self) -> bool:
        """Keep the lease in the middle of a long step, and pass on a Ctrl-C that came meanwhile."""
        self.before_each()
        self.holds = drive.take_lease(self.run_pk, self.driver, now=timezone.now())
        self.renewed = time.monotonic()
        return self.holds

    def _warn_once(self, text: str) -> None:
        if text not in self.warned:
            self.warned.add(text)
            self.warn(text)


def local_runner() -> LocalRunner:
    """The runner of this machine's local jobs."""
    return LocalRunner(
        settings.CI_SERVICES["local"]["OPTIONS"]["folder"],
        host=socket.gethostname(),
        slots=settings.LOCAL_SLOTS,
        supervisor=os.environ.get("RUNTRAIL_SUPERVISOR", ""),
    )
