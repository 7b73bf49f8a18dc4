"""Take in test reports of any runner."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from executions import ingest
from executions.reports.base import Limits, UnreadableReport
from executions.reports.reading import READERS
from executions.staging import TooManyCases
from tracking.management.base import RuntrailCommand
from tracking.management.caller import caller_name, checkout
from tracking.models import Space


class Command(RuntrailCommand):
    help = "Store test reports (JUnit XML, pytest, CTRF, TRX, xUnit, NUnit, go test, TAP; gzip or zip too)."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.add_argument("--format", choices=["auto", "text", "json", *READERS], default="auto")
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE")
        parser.add_argument("--space", choices=Space.values, default="ci")
        parser.add_argument("-e", "--environment", default="", help="where the tests ran")
        parser.add_argument("--test-run-id", default="", help="add to this run; without, each file makes one")
        parser.add_argument("--branch", default="")
        parser.add_argument("--commit", default="")
        parser.add_argument("--db", default="", metavar="URL", help="URL of a database, or a SQLite file")

    def handle(self, *args: Any, **options: Any) -> None:
        project = self.project(options["project"])
        branch, commit = checkout(Path.cwd())
        is_json = options["format"] == "json"
        rows: list[dict[str, Any]] = []
        names = [name for typed in options["files"] for name in (glob.glob(typed) or [typed])]  # noqa: PTH207
        for name in names:
            try:
                with Path(name).open("rb") as file:
                    report = ingest.ingest_report(
                        file,
                        project=project,
                        now=timezone.now(),
                        name=name,
                        format=options["format"] if options["format"] in READERS else None,
                        limits=Limits(unpacked_bytes=settings.REPORT_BYTES),
                        most_cases=settings.REPORT_CASES,
                        test_run_id=options["test_run_id"],
                        space=options["space"],
                        environment=options["environment"],
                        branch=options["branch"] or branch,
                        commit=options["commit"] or commit,
                        triggered_by=caller_name(),
                    )
            except (OSError, UnreadableReport, TooManyCases, ingest.Conflict, ValueError) as problem:
                told = (problem.strerror if isinstance(problem, OSError) else "") or str(problem)
                self.stderr.write(told if name in told else f"{name}: {told}")
                rows.append({"file": name, "status": "refused", "reason": told})
                continue
            rows.append(_row(name, report))
            if not is_json:
                self.tell(name, report)
        if is_json:
            self.print_json(rows)
        refused = sum(row["status"] == "refused" for row in rows)
        if refused:
            raise CommandError(f"{refused} of {len(names)} files were not taken; nothing of them was stored.")

    def tell(self, name: str, report: Any) -> None:
        counts = [f"{getattr(report, word)} {word}" for word in ("passed", "failed", "error", "skipped")]
        is_new = "" if report.is_new else " (was there already)"
        self.say(f"{name}: {report.format}, {report.total} tests: {', '.join(counts)} → {report.run}{is_new}")
        self.say(*(f"  {problem}" for problem in report.problems[:10]))


def _row(name: str, report: Any) -> dict[str, Any]:
    """What became of a file, in the words of `POST reports/`."""
    counts = ("total", "passed", "failed", "error", "skipped", "xfailed", "xpassed", "attempts", "unplaced")
    return {
        "file": name,
        "status": report.status,
        "id": report.pk,
        "test_run_id": report.run.test_run_id,
        "format": report.format,
        **{word: getattr(report, word) for word in counts},
        "duration": report.duration,
        "problems": report.problems,
        "is_new": report.is_new,
    }
