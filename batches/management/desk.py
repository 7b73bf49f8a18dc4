"""What the commands of batches share: the workspace they stand in, and running its tests."""

from __future__ import annotations

import os
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from batches import git
from batches.copies import search
from batches.culprit import Verdict
from batches.models import Batch
from batches.recording import Desk, open_workspace
from batches.regressions import Rule
from batches.runner import Plan
from batches.store import Store
from batches.testing import Tested, run_tests
from executions.local_run import NoPython, find_python
from tracking.management.base import TestRunningCommand, positive
from tracking.management.caller import caller_name

TIMEOUT = 3600


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
        parser.add_argument("--timeout", type=positive, default=TIMEOUT, metavar="SECONDS")
        parser.add_argument("--python", default="", help="interpreter that runs the tests")
        parser.add_argument("--framework", choices=["pytest", "unittest"], default="", help="default: found")

    def desk(self, options: Mapping[str, Any], *, recording: str = "") -> Desk:
        folder = Path(options["workspace"]) if options["workspace"] else git.top_level(Path.cwd())
        if not folder.is_dir():
            raise CommandError(f"There is no folder {folder}. --workspace names the one to work in.")
        project = self.project(options["project"])
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
        with self.plan(desk, options, isolated=isolated) as plan:
            tested = run_tests(
                desk,
                plan,
                batch=batch,
                baseline=baseline,
                rule=rule,
                triggered_by=caller_name(),
                now=timezone.now(),
            )
            if batch and not tested.trouble and not tested.result["success"] and not plan.pattern:
                self.tell_verdict(batch, search(desk, plan, tested.batch_run))
        return tested

    @contextmanager
    def plan(self, desk: Desk, options: Mapping[str, Any], *, isolated: bool) -> Iterator[Plan]:
        python, framework = self.interpreter(desk, options)
        with tempfile.TemporaryDirectory(prefix="runtrail-") as scratch, _terminated_like_interrupted():
            yield Plan(
                root=desk.root,
                python=python,
                plugin=settings.BASE_DIR / "client" / "src",
                scratch=Path(scratch),
                environment=os.environ,
                framework=framework,
                timeout=options["timeout"],
                pattern=options.get("pattern") or "",
                isolated=isolated,
                show=self.show if options["detail"] else None,
                tell=self.stderr_line,
            )

    def tell_verdict(self, batch: Batch, verdict: Verdict | None) -> None:
        if verdict is None:
            return
        if verdict.edit:
            edit = batch.edits.get(position=verdict.edit)
            share = f"{verdict.suspicion[verdict.edit - 1]:.1%}"
            self.stderr_line(
                f"Suspected: edit {verdict.edit}, {edit.path} ({share}, {verdict.reruns} reruns)."
            )
        elif verdict.is_sure:
            self.stderr_line(f"No edit is to blame: the failing tests are flaky ({verdict.reruns} reruns).")
        else:
            self.stderr_line(f"Which edit it was stays open after {verdict.reruns} reruns.")

    def interpreter(self, desk: Desk, options: Mapping[str, Any]) -> tuple[str, str]:
        """Return the user's Python, and pytest if that one has it, else unittest."""
        chosen = {"chosen": options["python"], "of_workspace": desk.workspace.python, "own": Path(sys.prefix)}
        framework = options["framework"]
        try:
            if framework != "unittest":
                return find_python(desk.root, os.environ, **chosen), "pytest"
        except NoPython as problem:
            if framework or "has no pytest" not in str(problem):
                raise CommandError(str(problem)) from None
        try:
            return find_python(desk.root, os.environ, **chosen, needs_pytest=False), "unittest"
        except NoPython as problem:
            raise CommandError(str(problem)) from None

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
        if tested.batch_run.run:
            self.say(f"Test Run ID: {tested.batch_run.run.test_run_id}")

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


def add_json(parser: CommandParser) -> None:
    """`--format` also after the word of a sub-command."""
    parser.add_argument("--format", choices=["text", "json"], default="text", help="how to print data")
    parser.add_argument("-v", dest="detail", action="store_true", help="more detail")


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
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
