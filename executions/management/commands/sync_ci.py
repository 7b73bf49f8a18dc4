"""Fetch runs of CI with their jobs and test reports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from analysis.wording import count
from executions.reports.base import Limits
from executions.sync import Bounds, sync_runs
from tracking import ci
from tracking.management.base import RuntrailCommand
from tracking.since import since_of

DAYS = "7days"


class Command(RuntrailCommand):
    help = (
        "Fetch what CI did, also what Runtrail did not start: finished jobs and the test reports they left."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("run_ids", nargs="*", type=int, metavar="RUN_ID", help="GitHub's numbers of runs")
        parser.add_argument("--since", default=DAYS, help=f"without RUN_ID: how far back ({DAYS})")
        parser.add_argument("--db", default="", metavar="URL", help="URL of a database, or a SQLite file")

    def handle(self, *args: Any, **options: Any) -> None:
        project, now = self.project(options["project"]), timezone.now()
        try:
            since = since_of(options["since"], now=now)
            history = ci.connect("github", project).history()
        except (ValueError, ci.CIRefused) as problem:
            raise CommandError(str(problem)) from None
        bounds = Bounds(Limits(unpacked_bytes=settings.REPORT_BYTES), settings.REPORT_CASES)
        refused: list[str] = []
        runs = chosen(history, options["run_ids"], since, refused)
        done = sync_runs(project, runs, history, bounds=bounds, now=now)
        if options["format"] == "json":
            self.print_json(asdict(done))
        else:
            self.say(
                f"{count(done.runs, 'run')} looked at: {count(done.jobs, 'new job')}, "
                f"{count(done.reports, 'new test report')}.",
                *(f"  {line}" for line in done.said),
            )
        if refused:
            raise CommandError(" ".join(refused))
        if done.problem:
            raise CommandError(f"{done.problem} What came until then is kept; the same command goes on.")
        if done.missed:
            missed = " ".join(map(str, done.missed))
            raise CommandError(f"Not all could be had; try again later: sync_ci {missed}")


def chosen(
    history: ci.CIHistory, numbers: list[int], since: datetime, refused: list[str]
) -> Iterator[ci.PastRun]:
    """The runs that were named, or those since a moment; `refused` gets a line for each that is not there."""
    if not numbers:
        yield from history.runs(since)
    for number in dict.fromkeys(numbers):
        try:
            yield history.run(number)
        except ci.CIRefused as problem:
            refused.append(str(problem))
