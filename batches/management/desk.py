"""What the commands of batches share: the workspace they stand in, and running its tests."""

from __future__ import annotations

import errno
import os
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
from batches.baselines import NoBaseline
from batches.keeping import Sender
from batches.logs import demand_folder
from batches.management.telling import TellingCommand
from batches.models import Batch
from batches.planning import (
    TIMEOUT,
    Order,
    Surroundings,
    interpreter,
    planned,
    prove,
    remember_interpreter,
)
from batches.preview import Refused
from batches.recording import Desk, NothingThere, open_workspace
from batches.regressions import Rule
from batches.sending import sender_to
from batches.store import Store
from batches.testing import NothingCollected, Tested
from batches.workspace import LOGS, NotKeepable, OutsideWorkspace, is_keepable
from tracking.interpreter import NoPython
from tracking.management.base import positive
from tracking.management.caller import caller_name

PLUGIN = settings.BASE_DIR / "client" / "src"
_OF_FILES = (OutsideWorkspace, NotKeepable, NothingThere, Refused)
_OF_TESTS = (NoBaseline, NoPython, NothingCollected)


def store() -> Store:
    return Store(settings.DATA / "batch_files")


class WorkspaceCommand(TellingCommand):
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
        demand_folder(folder / LOGS)  # before anything runs
        project = self.own_project(options["project"])
        now = timezone.now()
        desk = open_workspace(
            project, folder.resolve(), store(), host=socket.gethostname(), recording=recording, now=now
        )
        size = options.get("batch_size")
        if size and size != desk.workspace.batch_size:
            desk.workspace.batch_size = size
            desk.workspace.save(update_fields=["batch_size"])
        return desk

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
        around = self.around()
        show = self.percent if sys.stderr.isatty() and not isolated else None
        if options["detail"]:
            show = self.show_aside if options.get("format") == "json" else self.show
        with (
            terminated_like_interrupted(),
            planned(desk, order, around, tell=self.aside, show=show) as plan,
        ):
            remember_interpreter(desk.workspace, plan.python, plan.framework)
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

    def around(self) -> Surroundings:
        return Surroundings(PLUGIN, Path(sys.prefix), os.environ)

    def sender(self, desk: Desk) -> Sender | None:
        return sender_to(PLUGIN, desk.root, os.environ) if is_sent() else None

    def own_project(self, slug: str | None) -> Project:
        """The project; with a server named, that of the token is the server's matter and ours the default."""
        try:
            return project_named(slug)
        except UnknownProject:
            return self.project(None if is_sent() else slug)

    def hand_over(
        self, desk: Desk, kind: str, batch: Batch | None, options: Mapping[str, Any], **wanted: Any
    ) -> None:
        """Give it to the worker of this host, with the Python of this shell, and say where it is followed."""
        if is_sent():
            raise CommandError(
                "RUNTRAIL_URL names a server for the results, and the worker of this machine does not have "
                "your token: leave --background out, or unset RUNTRAIL_URL."
            )
        try:
            found = interpreter(desk.workspace, self.order(options, isolated=False), self.around())
            remember_interpreter(desk.workspace, *found)
        except NoPython:
            if kind == "test" or options["python"]:
                raise
        wanted["timeout"] = options["timeout"]
        try:
            job = tasks.order(desk.workspace, kind, batch=batch, options=wanted, actor=caller_name())
        except jobs.NotServed as problem:
            raise CommandError(f"{problem} Or leave --background out.") from None
        except jobs.Busy as problem:
            raise CommandError(str(problem)) from None
        host, where = desk.workspace.host, f"/batches/{batch.number}/" if batch else "/batches/"
        if options["format"] == "json":
            self.print_json({"job": job.pk, "status": job.status, "host": host, "page": where})
        else:
            self.say(f"Handed to the worker of {host}; follow it at {where} or with `batch status`.")

    def finish(self, tested: Tested, *, is_compared: bool = False) -> None:
        """End with the exit code of what came of the tests."""
        if tested.trouble:
            raise CommandError(tested.trouble)
        if code := tested.exit_code(is_compared=is_compared):
            raise SystemExit(code)


def is_sent() -> bool:
    """Whether a server is named that results go to."""
    return bool(os.environ.get("RUNTRAIL_URL") and os.environ.get("RUNTRAIL_TOKEN"))


def add_json(parser: CommandParser) -> None:
    """`--format` also after the word of a sub-command."""
    parser.add_argument("--format", choices=["text", "json"], default="text", help="how to print data")
    parser.add_argument("-v", dest="detail", action="store_true", help="more detail")


@contextmanager
def told_plainly() -> Iterator[None]:
    """Faults of the workspace, its disk or its user as an error that says what to do."""
    try:
        yield
    except (*_OF_FILES, *_OF_TESTS) as problem:
        raise CommandError(str(problem)) from None
    except OSError as problem:
        is_full = problem.errno in {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}
        advice = " Make room on the disk and try again; nothing was lost." if is_full else ""
        raise CommandError(f"{str(problem).rstrip('.')}.{advice}") from None


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
