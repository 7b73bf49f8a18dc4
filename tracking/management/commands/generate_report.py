"""Write the report of one run: a single file that a manager would read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from tracking.management.base import RuntrailCommand
from tracking.models import TestRun
from tracking.run_report import FORMS, report_data, written


class Command(RuntrailCommand):
    help = "Write one self-contained file about a run (without --test-run-id: the latest)."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.add_argument("--format", choices=[*FORMS], default="md")
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--test-run-id", metavar="ID", help="e.g. performance_20260104_093000_abc123")
        parser.add_argument("--output", type=Path, default=None, help="a file; without: standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        text = written(report_data(self.wanted(options), now=timezone.now()), options["format"])
        if options["output"] is None:
            self.stdout.write(text, ending="" if text.endswith("\n") else "\n")
            return
        try:
            options["output"].write_text(text, encoding="utf-8")
        except OSError as problem:
            raise CommandError(f"{options['output']} can't be written: {problem.strerror}.") from None
        self.say(f"Wrote {options['output']}.")

    def wanted(self, options: dict[str, Any]) -> TestRun:
        if options["test_run_id"]:
            return self.run_named(options["test_run_id"])
        project = self.project(options["project"])
        latest: TestRun | None = TestRun.objects.in_project(project).for_file().newest_first().first()
        if latest is None:
            raise CommandError("There are no test runs yet. `run_tests -e ENV -t PROFILE` starts one.")
        return latest
