"""What Runtrail's commands share: the project they speak of, their output, and their exit codes."""

from __future__ import annotations

import os
import sys
import traceback
from argparse import ArgumentTypeError, _SubParsersAction
from functools import partial
from typing import Any, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, ProgrammingError

from access.models import Project
from access.projects import UnknownProject, project_named
from tracking.identifiers import environment_name, parse_test_run_id
from tracking.json_text import json_text
from tracking.models import Environment, TestRun

COULD_NOT_RUN = 3


class RuntrailCommand(BaseCommand):
    """A command about one project; errors go to standard error and say what to do next."""

    requires_system_checks: list[str] = []
    takes_project = True
    fault = 1  # exit code for whatever stands against it, but bad usage

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Django looks at the terminal only; https://no-color.org is for people who want none there.
        if os.environ.get("NO_COLOR"):
            kwargs["no_color"] = True
        super().__init__(*args, **kwargs)

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

    def run_from_argv(self, argv: list[str]) -> None:
        try:
            super().run_from_argv(argv)
            sys.stdout.flush()
        except BrokenPipeError:  # as in `analyze_run --list | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except KeyboardInterrupt:
            self._fail("Interrupted.")
        except DatabaseError as problem:
            self._fail(database_fault(problem))

    def _fail(self, text: str) -> NoReturn:
        self.stderr.write(text)
        sys.exit(self.fault)

    def say(self, *lines: str) -> None:
        for line in lines:
            self.stdout.write(line)
        self.stdout.flush()

    def print_json(self, content: Any) -> None:
        self.say(json_text(content))

    def project(self, slug: str | None) -> Project:
        try:
            return project_named(slug)
        except UnknownProject as problem:
            raise CommandError(str(problem)) from None

    def environment(self, project: Project, typed: str) -> Environment:
        environments = Environment.objects.filter(name=environment_name(typed))
        found: Environment | None = environments.filter(project=project).first()
        if found is None:
            names = listed(Environment.objects.in_project(project).values_list("name", flat=True))
            raise CommandError(
                f"{project} has no environment {typed!r}. There are: {names}."
                + elsewhere(environments.values_list("project__slug", flat=True))
            )
        return found

    def run_named(self, test_run_id: str) -> TestRun:
        found: TestRun | None = TestRun.objects.for_file().filter(test_run_id=test_run_id).first()
        if found is None:
            hint = "`analyze_run --list` shows the ones there are."
            try:
                parse_test_run_id(test_run_id)
            except ValueError:
                hint = f"An id looks like performance_20260104_093000_abc123. {hint}"
            raise CommandError(f"There is no test run {test_run_id!r}. {hint}")
        return found


class TestRunningCommand(RuntrailCommand):
    """A command that runs tests: 0 passed, 1 failed, 3 could not run, whatever the reason.

    Django ends with 1 on a CommandError and argparse with 2 on bad usage; in a CI job both would
    be read as a result of the tests.
    """

    __test__ = False
    fault = COULD_NOT_RUN

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        _refuse_in(parser)
        return parser

    def run_from_argv(self, argv: list[str]) -> None:
        try:
            super().run_from_argv(argv)
        except Exception:
            # A fault of our own; Python would end with 1, too.
            traceback.print_exc()
            self._fail("This is a fault of Runtrail, and no result of the tests.")

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except CommandError as problem:
            problem.returncode = self.fault
            raise


def positive(text: str) -> int:
    """A whole number of at least 1, for argparse."""
    if not text.isdecimal() or not int(text):
        raise ArgumentTypeError(f"{text!r} is no whole number of at least 1")
    return int(text)


def listed(names: Any) -> str:
    """Names for an error that says which there are; never a page full."""
    found = list(names[:21])
    return ", ".join(found[:20]) + (" …" if len(found) > 20 else "") or "none yet"


def elsewhere(projects: Any) -> str:
    """What to add where another project has what was asked for."""
    found = sorted(set(projects[:21]))
    return f" {found[0]} has one: add --project {found[0]}." if found else ""


def database_fault(problem: DatabaseError) -> str:
    """What the database said and what to do about it, in one line."""
    text = " ".join(str(problem).split())
    if "locked" in text:
        advice = "Another process is writing to it; try again in a moment."
    elif "full" in text or "No space" in text:
        advice = "Make room on the disk and try again."
    elif isinstance(problem, ProgrammingError) or "no such" in text or "has no column" in text:
        advice = "Its tables are missing or old: `bin/runtrail migrate` brings them up to date."
    else:
        advice = "Is it there and reachable? DATABASE_URL names it; without it, RUNTRAIL_DATA its folder."
    return f"The database could not be used: {text}. {advice}"


def _refuse_in(parser: Any) -> None:
    """Let bad usage of a parser, and of the words that it knows, end as could not run."""
    parser.error = partial(_refuse_usage, parser)
    for action in parser._actions:
        if isinstance(action, _SubParsersAction):
            for inner in action.choices.values():
                _refuse_in(inner)


def _refuse_usage(parser: CommandParser, message: str) -> NoReturn:
    if not parser.called_from_command_line:
        raise CommandError(f"Error: {message}", returncode=COULD_NOT_RUN)
    parser.print_usage(sys.stderr)
    parser.exit(COULD_NOT_RUN, f"{parser.prog}: error: {message}\n")
