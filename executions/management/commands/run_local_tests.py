"""Run pytest in the working directory and keep what it found."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import tempfile
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError
from django.utils import timezone

from access.models import Project
from executions.local_run import (
    Recorder,
    end_report,
    environment_for_tests,
    run_pytest,
)
from tracking.identifiers import local_run_id
from tracking.interpreter import NoPython, find_python
from tracking.management.base import TestRunningCommand, database_fault
from tracking.management.caller import caller_name
from tracking.models import TestRun

WITH_VALUE = ("--project", "--db", "--python")
ALONE = ("--quiet", "--help", "-h")


class Command(TestRunningCommand):
    help = (
        "Run pytest in the working directory, record every test, and end with pytest's exit code. "
        "Every argument that is not listed here is pytest's own; after -- all of them are."
    )
    takes_project = False  # -p is pytest's
    stealth_options = ("pytest_arguments",)

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.usage = (
            f"{prog_name} {subcommand} [--project P] [--db URL] [--python P] [--quiet] [PYTEST ARGS …]"
        )
        for action in parser._actions:  # what Django adds would be pytest's here
            if not {*WITH_VALUE, *ALONE} & set(action.option_strings):
                action.help = argparse.SUPPRESS
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--project", default=settings.PROJECT or None, help="slug of the project")
        parser.add_argument("--db", default="", metavar="URL", help="URL of a database, or a SQLite file")
        parser.add_argument("--python", default="", help="interpreter that runs the tests")
        parser.add_argument("--quiet", action="store_true", help="pytest -q, and nothing of ours")

    def run_from_argv(self, argv: list[str]) -> None:
        ours, self.theirs = split_arguments(argv[2:])
        super().run_from_argv([*argv[:2], *ours])

    def handle(self, *args: Any, **options: Any) -> None:
        theirs = list(options.get("pytest_arguments") or getattr(self, "theirs", []))
        arguments = [*(["-q"] if options["quiet"] else []), *theirs]
        is_sent = bool(os.environ.get("RUNTRAIL_URL") and os.environ.get("RUNTRAIL_TOKEN"))
        project = None if is_sent else self.project(options["project"])
        source = settings.BASE_DIR / "client" / "src"
        with tempfile.TemporaryDirectory(prefix="runtrail-") as folder:
            recorder = Recorder(source, None if is_sent else Path(folder) / "report.jsonl")
            environment = environment_for_tests(os.environ, recorder, is_sent=is_sent)
            try:
                python = find_python(Path.cwd(), environment, chosen=options["python"], own=Path(sys.prefix))
            except NoPython as problem:
                raise CommandError(str(problem)) from None
            now = timezone.now()
            code = run_pytest(python, arguments, recorder, Path.cwd(), environment)
            if project is not None and recorder.report is not None:
                self.keep(project, recorder, theirs, now, say=not options["quiet"])
        if code:
            raise SystemExit(code)

    def keep(
        self, project: Project, recorder: Recorder, typed: Sequence[str], now: Any, *, say: bool
    ) -> None:
        """Store what was recorded; whatever stands against it is said and never changes the exit code."""
        if recorder.report is None or not recorder.report.exists():
            return  # pytest ran no session: it has said why
        end_report(recorder)
        try:
            stored = self.store(project, recorder.report, typed, now)
        except DatabaseError as problem:
            self.stderr.write(f"The results were not recorded. {database_fault(problem)}")
        except Exception as problem:
            self.stderr.write(f"The results were not recorded: {type(problem).__name__}: {problem}")
        else:
            if say:
                self.say(f"Test Run ID: {stored}")

    def store(self, project: Project, report: Path, typed: Sequence[str], now: Any) -> str:
        """Ingest the report under the first local id that is free in the second of the start."""
        from executions import ingest

        same_second = TestRun.objects.filter(test_run_id__startswith=local_run_id(now, 1))
        taken = set(same_second.values_list("test_run_id", flat=True))
        names = (local_run_id(now, number) for number in count(1))
        test_run_id = next(name for name in names if name not in taken)
        with report.open("rb") as file:
            ingest.ingest_report(
                file,
                project=project,
                test_run_id=test_run_id,
                space="local",
                environment="local",
                triggered_by=caller_name(),
                metadata={"source": "run_local_tests", "pytest_args": shlex.join(typed)},
                now=timezone.now(),
            )
        return test_run_id


def split_arguments(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return what is meant for this command, and what is pytest's, in the order typed."""
    ours: list[str] = []
    theirs: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if argument == "--":
            theirs += rest
        elif argument in WITH_VALUE:
            ours += [argument, *([value] if (value := next(rest, None)) is not None else [])]
        elif argument in ALONE or argument.startswith(tuple(f"{name}=" for name in WITH_VALUE)):
            ours.append(argument)
        else:
            theirs.append(argument)
    return ours, theirs
