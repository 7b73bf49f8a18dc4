"""One recorded session: where it runs, its file, and what becomes of the file at its end."""

from __future__ import annotations

import os
import re
import shlex
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runtrail import __version__
from runtrail.context import ci_facts, machine_facts
from runtrail.destination import Destination
from runtrail.git import WorkingTree
from runtrail.masking import Mask
from runtrail.recording import Recorder
from runtrail.report_file import FORMAT, VERSION, ReportFile, utc
from runtrail.settings import Settings
from runtrail.spool import Spool

if TYPE_CHECKING:
    from runtrail.delivery import Delivery

HASHING = 2.0  # seconds that the first test waits for git at most; it began while tests were collected
INTERRUPTED = 3.0  # seconds to send for when somebody waits for the prompt
_CLOCK = (time.time,)  # in a tuple, where libraries that freeze time don't look for it
_OWN_ARGUMENTS = re.compile(r"--(no-)?runtrail(-report)?(=.*)?")


@dataclass
class Session:
    """Follows a session from its first second to the answer of the server."""

    settings: Settings
    folder: Path
    arguments: list[str]
    environment: Mapping[str, str]
    runner: dict[str, str]
    distributed: bool
    markers_of: Callable[[str], list[str]]
    session_id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        self.started_at = _CLOCK[0]()
        self.mask = Mask(self.environment, more=[self.settings.destination.token])
        self.recorder: Recorder | None = None
        self._early: list[Any] = []
        self._interruption: str | None = None
        self._spool = Spool(self.settings.spool)
        self._file: ReportFile | None = None
        self._tree = WorkingTree(self.folder, self.environment)
        self._tree.begin_hashing()

    def open(self) -> None:
        """Write the header, now that nothing of it will change, and what happened before."""
        if self.recorder is not None:
            return
        tree_hash = self._tree.finish_hashing(HASHING)
        self._file = self._new_file()
        self._file.write(self._header(tree_hash))
        self.recorder = Recorder(self._file, self.mask, self.markers_of, distributed=self.distributed)
        for method, *arguments in self._early:
            getattr(self.recorder, method)(*arguments)

    def begin(self, nodeid: str, location: Any) -> None:
        if self.recorder is not None:
            self.recorder.begin(nodeid, location, _CLOCK[0]())

    def add(self, report: Any) -> None:
        if self.recorder is not None:
            self.recorder.add(report)

    def add_collection(self, report: Any) -> None:
        self._now_or_later("add_collection", report)

    def problem(self, kind: str, text: str) -> None:
        self._now_or_later("problem", kind, text)

    def interrupted(self, reason: str) -> None:
        self._interruption = reason

    def abandon(self) -> None:
        """Leave the file as a killed session would: the next one ends it and sends it as cut off."""
        self._tree.finish_hashing(0)
        if self._file is not None:
            self._file.close()

    def finish(self, exit_code: int, stopped: str) -> str:
        """End the file, send it, and return one line about it for people."""
        self.open()
        if self.recorder is None or self._file is None:
            return ""
        running = self.recorder.close()
        totals = self.recorder.totals.as_dict()
        self._file.write(self._end(exit_code, stopped, running, totals))
        if self.settings.report is not None:
            self._file.close()
            return ""
        if not totals["cases"] and not running and self._space == "local":
            self._file.close()
            self._spool.forget(self._file.path)
            return ""
        return self._send(f"{totals['cases']} test{'s' if totals['cases'] != 1 else ''}")

    def _send(self, what: str) -> str:
        destination = self.settings.destination
        assert self._file is not None  # noqa: S101 - for the type checker
        if os.name == "nt":  # pragma: no cover - an open file can't be moved there
            self._file.close()
        path = self._spool.keep(self._file.path, destination.address)
        self._spool.forget(self._file.path)
        self._file.close()
        try:
            self._spool.adopt(destination.address)
            self._spool.prune(_CLOCK[0]())
            if not destination.is_complete:
                return f"runtrail: {what} kept in {path.parent}; RUNTRAIL_URL and RUNTRAIL_TOKEN say where to"
            from runtrail.delivery import (
                deliver,
            )  # here, because TLS is slow to import and not every session sends

            within = self.settings.timeout if self._interruption is None else INTERRUPTED
            delivery = deliver(self._spool, destination, path, within=within)
        except KeyboardInterrupt:
            return f"runtrail: {what} kept and sent next time: interrupted"
        if delivery.answer is not None:
            self._spool.remember_last(destination.address, delivery.answer)
        return told(what, delivery, destination)

    def _new_file(self) -> ReportFile:
        if self.settings.report is not None:
            return ReportFile(self.settings.report)
        try:
            return self._file_in_spool()
        except OSError:  # no home, or one that can't be written to, as in many containers
            self._spool = Spool(Path(tempfile.mkdtemp(prefix="runtrail-")))
            return self._file_in_spool()

    def _file_in_spool(self) -> ReportFile:
        file = ReportFile(self._spool.running_file(self.session_id))
        self._spool.remember_address(file.path, self.settings.destination.address)
        return file

    def _header(self, tree_hash: str) -> dict[str, Any]:
        facts = ci_facts(self.environment)
        self._space = self.settings.space or ("ci" if facts else "local")
        header = {
            "type": "session",
            "format": FORMAT,
            "version": VERSION,
            "session_id": self.session_id,
            "started_at": utc(self.started_at),
            "producer": {"name": "runtrail-client", "version": __version__},
            "runner": self.runner,
            "space": self._space,
            "environment": self.settings.environment,
            "test_run_id": self.settings.test_run_id,
            "shard": self.settings.shard,
            "branch": self._tree.branch,
            "commit": self._tree.commit,
            **facts,
            "tree_hash": tree_hash,
            "directory": self._tree.directory if self._tree else "",
            **machine_facts(),
            "pytest_args": self.mask.arguments(shlex.join(typed(self.arguments))),
            "source": "pytest",
        }
        return {key: value for key, value in header.items() if value != ""}

    def _end(
        self, exit_code: int, stopped: str, running: list[str], totals: dict[str, int]
    ) -> dict[str, Any]:
        now = _CLOCK[0]()
        end: dict[str, Any] = {
            "type": "end",
            "ended_at": utc(now),
            "duration": round(now - self.started_at, 6),
        }
        end["exit_code"] = exit_code
        reason = self._interruption if self._interruption is not None else stopped
        if reason or self._interruption is not None:
            end["interrupted"] = True
            if reason:
                end["reason"] = self.mask.text(reason)[:2000]
        if running:
            end["running"] = running
        return {**end, "totals": totals}

    def _now_or_later(self, method: str, *arguments: Any) -> None:
        if self.recorder is None:
            self._early.append((method, *arguments))
        else:
            getattr(self.recorder, method)(*arguments)


def told(what: str, delivery: Delivery, destination: Destination) -> str:
    """One line for people about what became of a report."""
    if delivery.answer is not None:
        earlier = f" (and {delivery.earlier} earlier)" if delivery.earlier else ""
        page = f"{destination.url.rstrip('/')}/runs/{delivery.answer['testRunId']}/"
        return f"runtrail: {what} sent: {page}{earlier}"
    if delivery.refused is not None:
        return f"runtrail: {what} refused: {delivery.problem}; kept as {delivery.refused}"
    return f"runtrail: {what} kept and sent next time: {delivery.problem or 'another session sends them'}"


def typed(arguments: list[str]) -> list[str]:
    """The arguments without those that only brought the plugin in."""
    kept, rest = [], iter(arguments)
    for argument in rest:
        if argument == "-p":
            name = next(rest, "")
            kept += [] if name == "runtrail.plugin" else [argument, name]
        elif argument == "--runtrail-report":
            next(rest, "")
        elif argument != "-pruntrail.plugin" and not _OWN_ARGUMENTS.fullmatch(argument):
            kept.append(argument)
    return kept
