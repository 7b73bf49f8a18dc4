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

from tracking import ci, drive, tracking_file
from tracking.models import TestRun
from tracking.runner import LocalRunner

RENEW = 10.0  # seconds; a third of the lease
BUSY = 0.1  # seconds between two looks
PATIENCE = 60.0  # seconds that a locked or restarting database is waited for


class Drive:
    """Sends, runs and follows one run until it has ended or `stop` says so."""

    def __init__(self, run_pk: UUID, driver: str) -> None:
        self.run_pk, self.driver = run_pk, driver
        self.ci: ci.CIService | None = None
        self.runner: LocalRunner | None = None
        self.renewed = time.monotonic()
        self.path: Path | None = None

    def load(self) -> TestRun:
        run: TestRun = TestRun.objects.for_file().get(pk=self.run_pk)
        return run

    def until_closed(self, after_each: Callable[[TestRun], None], stop: Callable[[], bool]) -> TestRun:
        """Drive to the end; `after_each` sees the run whenever something changed."""
        try:
            return self._until_closed(after_each, stop)
        finally:
            if self.runner:
                self.runner.leave()

    def _until_closed(self, after_each: Callable[[TestRun], None], stop: Callable[[], bool]) -> TestRun:
        silent_since: float | None = None
        while not stop():
            try:
                run, changed = self.step(timezone.now())
                silent_since = None
            except OperationalError:
                silent_since = silent_since or time.monotonic()
                if time.monotonic() - silent_since > PATIENCE:
                    raise
                time.sleep(1)
                continue
            if changed:
                self.save(run)
                after_each(run)
            if not run.is_running:
                return run
            time.sleep(BUSY)
        return self.load()

    def step(self, now: datetime) -> tuple[TestRun, bool]:
        """Look once; return the run as it is now and whether something changed."""
        run = self.load()
        if self.ci is None:
            service = str(run.plan["service"])
            self.ci = ci.connect(service)
            self.runner = local_runner() if service == "local" else None
        if run.is_running and time.monotonic() - self.renewed > RENEW:
            drive.take_lease(self.run_pk, self.driver, now=now)
            self.renewed = time.monotonic()
        moved = bool(self.runner.tick(now)) if self.runner else False
        if not run.is_running:
            return run, True
        changed = drive.advance(run, ci=self.ci, now=timezone.now())
        return (self.load() if changed else run), changed or moved

    def save(self, run: TestRun) -> None:
        self.path = tracking_file.write(run, settings.DATA, timezone.now())


def local_runner() -> LocalRunner:
    """The runner of this machine's local jobs."""
    return LocalRunner(
        settings.CI_SERVICES["local"]["OPTIONS"]["folder"],  # type: ignore[index]
        host=socket.gethostname(),
        slots=settings.LOCAL_SLOTS,
        supervisor=os.environ.get("RUNTRAIL_SUPERVISOR", ""),
    )
