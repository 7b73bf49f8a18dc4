"""What the commands of batches share: the workspace they stand in, and running its tests."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from access.models import Project
from access.projects import UnknownProject, project_named
from batches import git, jobs, tasks
from batches.copies import Search
from batches.models import Batch
from batches.planning import TIMEOUT, Order, Surroundings, planned, prove, remember_interpreter
from batches.recording import Desk, open_workspace
from batches.regressions import Rule
from batches.sending import sender_to
from batches.store import Store
from batches.testing import Sender, Tested
from batches.workspace import is_keepable
from tracking.interpreter import NoPython
from tracking.management.base import TestRunningCommand, positive
from tracking.management.caller import caller_name

PLUGIN = settings.BASE_DIR / "client" / "src"
_PERCENT = re.compile(r"\[ *(\d+)%\]")


def store() -> Store:
    return Store(settings.DATA / "batch_files")


class WorkspaceCommand(TestRunningCommand):
    """A command that works on a folder of the caller's."""

    takes_project = False  # -p is the pattern

    def add_place(self, parser: Any) -> None:
        parser.add_argument("--project", default=settings.PROJECT or None, help="slug of the project")
        parser.add_argument(
            "--workspace", default="", metavar="DIR", help="default: git's top level, else here"
        )
        parser.add_argument("--timeout", type=positive, default=int(TIMEOUT), metavar="SECONDS")
        parser.add_argument("--python", default="", help="interpreter that runs the tests")
        parser.add_argument("--framework", choices=["pytest", "unittest"], default="", help="default: found")

    def desk(self, options: Mapping[str, Any], *, recording: str = "") -> Desk:
        folder = Path(options["workspace"]) if options["workspace"] else git.top_level(Path.cwd())
        if not folder.is_dir():
            raise CommandError(f"There is no folder {folder}. --workspace names the one to work in.")
        if not is_keepable(str(folder.resolve())):
            raise CommandError(f"{str(folder)!a} has a name that can't be kept: not UTF-8, or too long.")
        project = self.own_project(options["project"])
        now = timezone.now()
        return open_workspace(
            project, folder.resolve(), store(), host=socket.gethostname(), recording=recording, now=now
        )

    def test(
        self,
        desk: Desk,
        options: Mapping[str, Any],
        *,
        batch: Batch | None = None,
        isolated: bool = False,
        baseline: Mapping[str, Any] | None = None,
        rule: Rule = Rule(),  # noqa: B008
    ) -> Tested:
        """Run the tests in the foreground and return what came of it."""
        order = self.order(options, isolated)
        around = Surroundings(PLUGIN, Path(sys.prefix), os.environ)
        show = self.show if options["detail"] else self.percent if sys.stderr.isatty() else None
        try:
            with (
                terminated_like_interrupted(),
                planned(desk, order, around, tell=self.stderr_line, show=show) as plan,
            ):
                remember_interpreter(desk.workspace, plan)
                tested = prove(
                    desk,
                    plan,
                    batch=batch,
                    baseline=baseline,
                    rule=rule,
                    sender=self.sender(desk),
                    triggered_by=caller_name(),
                    now=timezone.now(),
                )
        except NoPython as problem:
            raise CommandError(str(problem)) from None
        if batch and tested.search:
            self.tell_search(batch, tested.search)
        return tested

    def order(self, options: Mapping[str, Any], isolated: bool) -> Order:
        return Order(
            python=options["python"],
            framework=options["framework"],
            timeout=float(options["timeout"]),
            pattern=options.get("pattern") or "",
            isolated=isolated,
        )

    def sender(self, desk: Desk) -> Sender | None:
        return sender_to(PLUGIN, desk.root, os.environ) if is_sent() else None

    def own_project(self, slug: str | None) -> Project:
        """The project; with a server named, that of the token is the server's matter and ours the default."""
        try:
            return project_named(slug)
        except UnknownProject:
            return self.project(None if is_sent() else slug)

    def hand_over(self, desk: Desk, kind: str, batch: Batch | None, **options: Any) -> None:
        """Give it to the worker of this host, and say where it is followed."""
        host = desk.workspace.host
        try:
            tasks.order(desk.workspace, kind, batch=batch, options=options, actor=caller_name())
        except jobs.NotServed as problem:
            raise CommandError(f"{problem} Or leave --background out.") from None
        except jobs.Busy as problem:
            raise CommandError(str(problem)) from None
        where = f"/batches/{batch.number}/" if batch else "/batches/"
        self.say(f"Handed to the worker of {host}; follow it at {where} or with `batch status`.")

    def tell_search(self, batch: Batch, found: Search) -> None:
        if found.why_not:
            self.stderr_line(f"Which edit it was can't be searched for: {found.why_not}.")
        for position, tests in found.blamed().items():
            edit = batch.edits.get(position=position)
            share = max(found.verdicts[test].suspicion[position - 1] for test in tests)
            self.stderr_line(
                f"Suspected: edit {position}, {edit.path} ({share:.1%}, {found.reruns} reruns): "
                f"{len(tests)} failing test{'s' if len(tests) > 1 else ''}, as {tests[0]}"
            )
        for test, verdict in found.verdicts.items():
            if verdict.was_before:
                self.stderr_line(f"It failed before this batch: {test}")
            elif verdict.is_sure and not verdict.edit:
                self.stderr_line(f"No edit is to blame, it is flaky: {test} ({verdict.reruns} reruns)")
            elif not verdict.is_sure:
                self.stderr_line(f"Which edit it was stays open after {verdict.reruns} reruns: {test}")

    def percent(self, text: str) -> None:
        """How far pytest is, on one line of the terminal."""
        if found := _PERCENT.findall(text):
            end = "\n" if found[-1] == "100" else ""
            self.stderr.write(f"\r{found[-1]:>3} %", style_func=str, ending=end)
            self.stderr.flush()

    def show(self, text: str) -> None:
        self.stdout.write(text, ending="")
        self.stdout.flush()

    def stderr_line(self, text: str) -> None:
        self.stderr.write(text, style_func=str)

    def tell_result(self, tested: Tested) -> None:
        result = tested.result
        word = self.style.SUCCESS("PASSED") if result["success"] else self.style.ERROR("FAILED")
        self.say(
            f"{word}: {result['total_tests']} tests, {result['passed_tests']} passed, "
            f"{result['failed_tests']} failed, {result['skipped_tests']} skipped "
            f"in {result['duration_seconds']:.2f} s"
        )
        for failure in result["failures"]:
            self.say("  {type}: {test_class}.{test_name} {file_location}".format_map(failure))
        if tested.test_run_id:
            where = "" if tested.batch_run.run else f" (sent to {os.environ.get('RUNTRAIL_URL')})"
            self.say(f"Test Run ID: {tested.test_run_id}{where}")

    def tell_regressions(self, tested: Tested) -> None:
        found = tested.regressions
        for row in found["new_failures"]:
            self.say(f"  NEW FAILURE: {row['test_name']}")
        for row in found["performance_degradations"]:
            self.say(
                f"  SLOWER: {row['test_name']} {row['baseline_seconds']} s -> {row['current_seconds']} s"
            )
        if found["unconfirmed"]:
            self.say(f"  {len(found['unconfirmed'])} slower, unconfirmed")
        number = len(found["new_failures"]) + len(found["performance_degradations"])
        self.say(
            f"Regressions: {number}. See {tested.batch_run.workspace.root}/test_batch_logs/regressions.json"
        )

    def finish(self, tested: Tested, *, compared: bool = False) -> None:
        """End with the code that the contract gives: 3 before 2 before 1."""
        if tested.trouble:
            raise CommandError(tested.trouble)
        found = tested.regressions
        if compared and (found["new_failures"] or found["performance_degradations"]):
            raise SystemExit(2)
        if not tested.result["success"]:
            raise SystemExit(1)


def is_sent() -> bool:
    """Whether a server is named that results go to."""
    return bool(os.environ.get("RUNTRAIL_URL") and os.environ.get("RUNTRAIL_TOKEN"))


def add_json(parser: CommandParser) -> None:
    """`--format` also after the word of a sub-command."""
    parser.add_argument("--format", choices=["text", "json"], default="text", help="how to print data")
    parser.add_argument("-v", dest="detail", action="store_true", help="more detail")


@contextmanager
def terminated_like_interrupted() -> Iterator[None]:
    """SIGTERM ends the tests as Ctrl-C does."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:  # not the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
