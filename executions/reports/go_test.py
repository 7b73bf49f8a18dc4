"""`go test -json`: a line for every event of every test."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from executions.reports.base import CaseOutcome, Outcome, UnreadableReport
from executions.reports.json_parts import json_lines
from executions.reports.recorder import Recorder
from executions.reports.values import BoundedText, parse_moment

_ENDS: dict[str, Outcome] = {"pass": "passed", "fail": "failed", "skip": "skipped"}
_NOT_BUILT = re.compile(r"FAIL\t(\S+) \[((?:build|setup) failed)\]")
_NOISE = re.compile(r"\s*(=== |--- |PASS$|FAIL$)")
Key = tuple[str, str]  # package, test


@dataclass(slots=True)
class _Test:
    output: BoundedText
    started: Any = None
    message: str = field(default="")


def read_go_test(stream: BinaryIO, recorder: Recorder) -> Iterator[CaseOutcome]:
    """Yield the outcomes of a `go test -json` log; subtests are tests.

    Raises:
        UnreadableReport: also when a package began and has no end.
    """
    return _GoTest(recorder).outcomes(stream)


class _GoTest:
    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.running: dict[Key, _Test] = {}
        self.packages: set[str] = set()  # that run
        self.failed: set[str] = set()  # with a test that failed
        self.others: list[tuple[int, str]] = []  # the first line that is none of the format
        self.number_of_others = 0

    def outcomes(self, stream: BinaryIO) -> Iterator[CaseOutcome]:
        facts = self.recorder.facts
        facts.producer = "go test"
        for _, line in json_lines(stream, self.recorder.limits, other=self._other):
            package, test, action = (str(line.get(key) or "") for key in ("Package", "Test", "Action"))
            if not facts.started_at and line.get("Time"):
                facts.started_at = self.recorder.moment(line["Time"])
            if test:
                self.packages.add(package)
                yield from self._event((package, test), action, line)
            elif package and action in _ENDS:
                yield from self._end_package(package, action)
            elif package and action == "start":
                self.packages.add(package)
        if self.packages:
            raise UnreadableReport(
                f"The package {sorted(self.packages)[0][:200]} has no end: the report was cut off."
            )
        if not facts.elements:
            self.recorder.say("The report lists no test.")
        for number, text in self.others:
            more = f" and {self.number_of_others - 1} more are" if self.number_of_others > 1 else " is"
            self.recorder.say(f"Line {number}{more} none of `go test -json` and left out: {text}")

    def _other(self, number: int, text: str) -> None:
        """Take a line that `go` wrote between: until 1.24 it tells in words only what it could not build."""
        found = _NOT_BUILT.match(text)
        if found:
            self._fail_outside(
                f"The package {found[1][:200]} could not be tested ({found[2]}): none of its tests ran."
            )
            return
        self.number_of_others += 1
        self.others = self.others or [(number, text[:200])]

    def _fail_outside(self, problem: str) -> None:
        self.recorder.facts.failures_outside_cases += 1
        self.recorder.say(problem)

    def _event(self, key: Key, action: str, line: dict[str, Any]) -> Iterator[CaseOutcome]:
        test = self.running.get(key)
        if test is None:
            test = self.running[key] = _Test(BoundedText(self.recorder.limits.details), line.get("Time"))
        if action == "output":
            text = str(line.get("Output") or "")
            test.output.add(text)
            if not test.message and not _NOISE.match(text):
                test.message = text.strip()
        elif action in _ENDS:
            yield self._close(key, _ENDS[action], line.get("Elapsed"))

    def _end_package(self, package: str, action: str) -> Iterator[CaseOutcome]:
        """A test without an end in a package that failed took the process down, or was running then."""
        self.packages.discard(package)
        for key in [key for key in self.running if key[0] == package]:
            yield self._close(key, "error" if action == "fail" else "skipped", None)
        if action == "fail" and package not in self.failed:
            self._fail_outside(f"The package {package[:200]} failed, and none of its tests did.")

    def _close(self, key: Key, outcome: Outcome, elapsed: Any) -> CaseOutcome:
        test = self.running.pop(key)
        self.recorder.facts.elements[outcome] += 1
        if outcome in {"failed", "error"}:
            self.failed.add(key[0])
        text = test.output.value()
        is_bad = outcome in {"failed", "error"}
        return self.recorder.case(
            key[1],
            outcome,
            suite=key[0],
            duration=self.recorder.seconds(elapsed),
            message=test.message if outcome != "passed" else "",
            details=text if is_bad else "",
            stdout="" if is_bad else text,
            started_at=parse_moment(test.started),
        )
