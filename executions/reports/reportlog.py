"""pytest-reportlog: a line for every phase of every try of every test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from executions.reports.base import CaseOutcome, Outcome, UnreadableReport
from executions.reports.json_parts import json_lines
from executions.reports.names import junit_key
from executions.reports.pytest_texts import deciding, one_based, outcome_of, texts_of, times_of
from executions.reports.recorder import Recorder
from executions.reports.values import parse_moment

Key = tuple[str, str]  # nodeid, worker of pytest-xdist


def read_reportlog(stream: BinaryIO, recorder: Recorder) -> Iterator[CaseOutcome]:
    """Yield the outcomes of a report of pytest-reportlog, the tries of a test together.

    Raises:
        UnreadableReport: also when the last line, that of the session's end, is missing.
    """
    return _Log(recorder).outcomes(stream)


@dataclass(slots=True)
class _Try:
    nodeid: str
    phases: dict[str, dict[str, Any]] = field(default_factory=dict)
    failed_subtests: list[dict[str, Any]] = field(default_factory=list)
    is_rerun: bool = False


class _Log:
    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.open: dict[Key, _Try] = {}
        self.earlier: dict[Key, list[_Try]] = {}
        self.collected: set[str] = set()

    def outcomes(self, stream: BinaryIO) -> Iterator[CaseOutcome]:
        facts = self.recorder.facts
        facts.producer = "pytest"
        is_whole = False
        for _, line in json_lines(stream, self.recorder.limits):
            kind = line.get("$report_type")
            if kind == "TestReport":
                yield from self._phase(line)
            elif kind == "SubTestReport":
                self._subtest(line)
            elif kind == "CollectReport":
                yield from self._collection(line)
            elif kind == "SessionStart":
                self.recorder.describe(pytest_version=line.get("pytest_version"))
            elif kind == "SessionFinish":
                is_whole = True
                status = line.get("exitstatus")
                facts.exit_code = status if isinstance(status, int) else None
        if not is_whole:
            raise UnreadableReport(
                "The report ends without the line that ends a session: it was cut off, or the session was"
                " killed."
            )
        yield from self._rest()

    def _phase(self, line: dict[str, Any]) -> Iterator[CaseOutcome]:
        nodeid, when, outcome = line.get("nodeid"), line.get("when"), line.get("outcome")
        if not isinstance(nodeid, str):
            raise UnreadableReport("A test's line has no nodeid. Send the file as the test runner wrote it.")
        key = (nodeid, str(line.get("worker_id", "")))
        if when == "setup" and key in self.open:  # its teardown was not told
            yield from self._close(key)
        current = self.open.setdefault(key, _Try(nodeid))
        if outcome == "rerun":
            current.is_rerun = True
        else:
            self._count(str(when), outcome, line)
        is_known = when in {"setup", "call", "teardown"}
        current.phases[str(when) if is_known else "call"] = line
        if when == "teardown" or not is_known:  # a worker that crashed has no phase
            yield from self._close(key)

    def _count(self, when: str, outcome: object, line: dict[str, Any]) -> None:
        """Count the way pytest's last line does: a test that passes and fails in teardown twice."""
        elements = self.recorder.facts.elements
        if outcome == "failed":
            elements["error" if when in {"setup", "teardown"} else "failed"] += 1
        elif outcome == "skipped":
            elements["xfailed" if "wasxfail" in line else "skipped"] += 1
        elif outcome == "passed" and when == "call":
            elements["xpassed" if "wasxfail" in line else "passed"] += 1

    def _subtest(self, line: dict[str, Any]) -> None:
        if line.get("outcome") == "failed":
            self.recorder.facts.elements["failed"] += 1
            for (nodeid, _), current in self.open.items():
                if nodeid == line.get("nodeid"):
                    current.failed_subtests.append(line)

    def _collection(self, line: dict[str, Any]) -> Iterator[CaseOutcome]:
        outcome, nodeid = line.get("outcome"), line.get("nodeid")
        if outcome not in {"failed", "skipped"} or not isinstance(nodeid, str):
            return
        result: Outcome = "error" if outcome == "failed" else "skipped"
        self.recorder.facts.elements[result] += 1
        if nodeid in self.collected:
            return
        self.collected.add(nodeid)
        message, details = texts_of(line.get("longrepr"))
        file = nodeid.partition("::")[0]
        yield self.recorder.case(
            nodeid, result, junit_key=junit_key(nodeid), file=file, message=message, details=details
        )

    def _close(self, key: Key) -> Iterator[CaseOutcome]:
        current = self.open.pop(key)
        if current.is_rerun:
            self.earlier.setdefault(key, []).append(current)
            return
        tries = [*self.earlier.pop(key, []), current]
        for number, row in enumerate(tries, 1):
            yield self._row(row, number, is_final=number == len(tries))

    def _rest(self) -> Iterator[CaseOutcome]:
        for key in list(self.open):
            current = self.open[key]
            if "call" in current.phases or outcome_of(current.phases) != "passed":
                yield from self._close(key)
            else:
                self.open.pop(key)
                self.recorder.say(f"{current.nodeid[:300]} began and did not end; it has no outcome.")
        for key, tries in list(self.earlier.items()):
            self.recorder.say(f"{key[0][:300]} was to be run again and was not.")
            for number, row in enumerate(tries, 1):
                yield self._row(row, number, is_final=number == len(tries))

    def _row(self, row: _Try, number: int, *, is_final: bool) -> CaseOutcome:
        recorder, phases = self.recorder, row.phases
        outcome = outcome_of(phases)
        decided = deciding(phases)
        if row.failed_subtests and outcome in {"passed", "xpassed"}:
            outcome, decided = "failed", row.failed_subtests[0]
        message, details = texts_of(decided.get("longrepr"))
        if outcome in {"xfailed", "xpassed"}:
            message = str(decided.get("wasxfail") or "").removeprefix("reason: ") or message
        total, call = times_of(phases)
        location = decided.get("location")
        file, line = location[:2] if isinstance(location, list) and len(location) > 1 else ("", None)
        first = phases.get("setup") or decided
        return recorder.case(
            row.nodeid,
            outcome,
            junit_key=junit_key(row.nodeid),
            attempt=number,
            is_final=is_final,
            duration=recorder.seconds(total),
            call_duration=recorder.seconds(call),
            message=message,
            details=details,
            stdout=_captured(phases, "stdout", "log"),
            stderr=_captured(phases, "stderr"),
            file=str(file).replace("\\", "/"),
            line=one_based(line),
            started_at=parse_moment(first.get("start")),
        )


def _captured(phases: dict[str, dict[str, Any]], *streams: str) -> str:
    """Return what was captured; every later phase repeats the sections of those before it."""
    last = phases.get("teardown") or phases.get("call") or phases.get("setup") or {}
    sections = last.get("sections")
    found = []
    for section in sections if isinstance(sections, list) else []:
        if (
            isinstance(section, list)
            and len(section) == 2
            and any(name in str(section[0]) for name in streams)
        ):
            found.append(str(section[1]))
    return "\n".join(text for text in found if text.strip())
