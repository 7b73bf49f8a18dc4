"""What Runtrail's commands share: the project they speak of, their output, and their exit codes."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from access.models import Project
from access.projects import UnknownProject, project_named
from tracking.identifiers import environment_name
from tracking.models import Environment, TestRun

COULD_NOT_RUN = 3


class RuntrailCommand(BaseCommand):
    """A command about one project; errors go to standard error and say what to do next."""

    requires_system_checks: list[str] = []
    takes_project = True

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        # Django gives -v to --verbosity, which wants a number; ours is a plain "tell me more".
        parser = super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)
        parser.add_argument("-v", dest="detail", action="store_true", help="more detail")
        if self.takes_project:
            parser.add_argument(
                "-p", "--project", default=settings.PROJECT or None, help="slug of the project"
            )
        parser.add_argument("--format", choices=["text", "json"], default="text", help="how to print data")
        return parser

    def say(self, *lines: str) -> None:
        for line in lines:
            self.stdout.write(line)
        self.stdout.flush()

    def print_json(self, content: Any) -> None:
        self.say(json.dumps(content, indent=2, default=str))

    def project(self, slug: str | None) -> Project:
        try:
            return project_named(slug)
        except UnknownProject as problem:
            raise CommandError(str(problem)) from None

    def environment(self, project: Project, typed: str) -> Environment:
        found = Environment.objects.in_project(project).filter(name=environment_name(typed)).first()
        if found is None:
            names = (
                ", ".join(Environment.objects.in_project(project).values_list("name", flat=True)) or "none"
            )
            raise CommandError(f"{project} has no environment {typed!r}. There are: {names}.")
        return found

    def run_named(self, test_run_id: str) -> TestRun:
        found: TestRun | None = TestRun.objects.for_file().filter(test_run_id=test_run_id).first()
        if found is None:
            raise CommandError(
                f"There is no test run {test_run_id!r}. `analyze_run --list` shows the ones there are."
            )
        return found


class TestRunningCommand(RuntrailCommand):
    """A command that runs tests: 0 passed, 1 failed, 3 could not run, whatever the reason.

    Django ends with 1 on a CommandError and argparse with 2 on bad usage; in a CI job both would
    be read as a result of the tests.
    """

    __test__ = False

    def run_from_argv(self, argv: list[str]) -> None:
        try:
            super().run_from_argv(argv)
        except SystemExit as end:
            if end.code == 2:
                sys.exit(COULD_NOT_RUN)
            raise
        except DatabaseError as problem:
            self.stderr.write(
                f"The database could not be used: {problem}. What was sent is followed by a worker."
            )
            sys.exit(COULD_NOT_RUN)

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except CommandError as problem:
            problem.returncode = COULD_NOT_RUN
            raise
