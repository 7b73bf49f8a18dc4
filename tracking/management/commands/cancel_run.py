"""End a run before its time, at the CI service too."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from access import audit
from tracking import drive, lifecycle, tasks
from tracking.management.base import RuntrailCommand
from tracking.management.caller import caller_name
from tracking.management.driving import Drive
from tracking.models import TestRun

WAIT = 20.0  # seconds
LOOK = 0.2


class Command(RuntrailCommand):
    help = "Cancel a test run and every workflow of it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("test_run_id", metavar="ID", help="e.g. performance_20260104_093000_abc123")

    def handle(self, *args: Any, test_run_id: str, **options: Any) -> None:
        run = self.run_named(test_run_id)
        if not run.is_running:
            raise CommandError(f"{run} has ended already, as {run.status}.")
        by = caller_name()
        if lifecycle.request_cancel(run, by=by, now=timezone.now()):
            audit.record("run.cancel", actor=by, project=run.project, target=run)
        run = self.see_it_end(run)
        if options["format"] == "json":
            return self.print_json(
                {"test_run_id": run.test_run_id, "status": run.status, "reason": run.reason}
            )
        if options["detail"]:
            self.say(*(f"{event.at:%H:%M:%S} {event.text}" for event in run.events.order_by("pk")))
        if run.is_running:
            return self.say(f"{run} is being cancelled; its driver ends what still runs.")
        return self.say(f"{run} ended as {run.status}. {run.reason}".rstrip())

    def see_it_end(self, run: TestRun) -> TestRun:
        """Drive the run to its end if nobody else does; wait for the one who does."""
        driver, until = drive.driver_name("cancel_run"), time.monotonic() + WAIT
        driving = Drive(run.pk, driver, warn=self.stderr.write)
        tasks.send(str(run.pk))
        while run.is_running and time.monotonic() < until:
            if drive.take_lease(run.pk, driver, now=timezone.now()):
                try:
                    run = driving.until_closed(lambda _: None, lambda: time.monotonic() > until)
                finally:
                    drive.release(run.pk, driver)
            else:
                time.sleep(LOOK)
                run = driving.load()
        return run
