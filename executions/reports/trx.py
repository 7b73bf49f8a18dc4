"""TRX, the results of Visual Studio and `dotnet test`.

A result names its test, and its class stands in a definition elsewhere in the file, mostly after the
results; so rows wait in a temporary file until the definitions are known.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from typing import Any, BinaryIO

from executions.reports.base import CaseOutcome, Outcome
from executions.reports.recorder import Recorder, first_line
from executions.reports.values import bounded
from executions.reports.xml_events import xml_events

_IN_MEMORY = 4 << 20
_OUTCOMES: dict[str, Outcome] = {
    **dict.fromkeys(("passed", "completed", "warning", "passedbutrunaborted"), "passed"),
    **dict.fromkeys(("failed", "timeout"), "failed"),
    **dict.fromkeys(("error", "aborted", "disconnected"), "error"),
    **dict.fromkeys(("notexecuted", "inconclusive", "notrunnable", "pending", "inprogress"), "skipped"),
}
_TEXTS = {"Message": "message", "StackTrace": "trace", "StdOut": "stdout", "StdErr": "stderr"}
_ENDED_BADLY = {"aborted", "error", "timeout", "disconnected"}  # of a run; Failed says that a test did
_ERRORS_KEPT = 20
_COUNTERS = {"total": "tests", "passed": "passed", "failed": "failed", "error": "errors"}


def read_trx(stream: BinaryIO, recorder: Recorder) -> Iterator[CaseOutcome]:
    """Yield the outcomes of a TRX file; the rows of a data-driven test are part of it."""
    return _Trx(recorder).outcomes(stream)


class _Trx:
    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.classes: dict[str, str] = {}  # of tests, by the id of their definition
        self.definition = ""
        self.depth = 0  # in results, which may hold inner results
        self.result: dict[str, Any] = {}
        self.inner = 0
        self.is_error_of_run = False
        self.errors_of_run: list[str] = []

    def outcomes(self, stream: BinaryIO) -> Iterator[CaseOutcome]:
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, mode="w+", encoding="utf-8") as rows:
            for kind, name, attributes, text in xml_events(stream, self.recorder.limits):
                if kind == "start":
                    self._start(name, attributes)
                elif name.endswith("TestResult") and self.depth:
                    self.depth -= 1
                    if not self.depth:
                        rows.write(json.dumps(self.result) + "\n")
                elif self.depth == 1 and text and name in _TEXTS:
                    longest = self.recorder.limits.details
                    self.result.setdefault(_TEXTS[name], bounded(text, longest))
                elif name == "Text" and self.is_error_of_run and len(self.errors_of_run) < _ERRORS_KEPT:
                    self.is_error_of_run = False
                    self.errors_of_run.append(f"An error of the run belongs to no test: {text.strip()[:300]}")
            rows.seek(0)
            for line in rows:
                yield self._row(json.loads(line))
        self._judge()
        if not self.recorder.facts.elements:
            self.recorder.say("The report lists no test.")

    def _judge(self) -> None:
        """Say what stands beside the results; adapters tell of each failed test there again."""
        facts = self.recorder.facts
        if self.inner:
            self.recorder.say(
                f"{self.inner:,} results stand within those of other tests and are counted with those."
            )
        if not facts.elements["failed"] and not facts.elements["error"]:
            facts.failures_outside_cases += len(self.errors_of_run)
            for problem in self.errors_of_run:
                self.recorder.say(problem)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        recorder, facts = self.recorder, self.recorder.facts
        if name.endswith("TestResult"):
            self.depth += 1
            if self.depth == 1:
                self.result = {"attributes": attributes}
            else:
                self.inner += 1
        elif name == "UnitTest":
            self.definition = attributes.get("id", "")
        elif name == "TestMethod" and self.definition:
            self.classes[self.definition] = attributes.get("className", "").partition(",")[0].strip()
            self.definition = ""
        elif name == "Times" and attributes.get("start"):
            facts.started_at = recorder.moment(attributes["start"])
        elif name == "Counters":
            recorder.declare(
                **{_COUNTERS[key]: value for key, value in attributes.items() if key in _COUNTERS}
            )
        elif name == "RunInfo":
            self.is_error_of_run = attributes.get("outcome", "").lower() in _ENDED_BADLY
        elif name == "ResultSummary" and attributes.get("outcome", "").lower() in _ENDED_BADLY:
            self.errors_of_run.append(f"The run itself ended as {attributes['outcome']}.")
        elif name == "TestRun":
            facts.producer = "vstest"

    def _row(self, result: dict[str, Any]) -> CaseOutcome:
        recorder, attributes = self.recorder, result["attributes"]
        told = attributes.get("outcome", "")
        outcome = _OUTCOMES.get(told.lower())
        if outcome is None:
            recorder.say(f"The outcome {told[:40]!r} is unknown and counts as an error.")
            outcome = "error"
        recorder.facts.elements[outcome] += 1
        if "computerName" in attributes and "host" not in recorder.facts.metadata:
            recorder.describe(host=attributes["computerName"])
        message, trace = result.get("message", ""), result.get("trace", "")
        place = re.search(r" in (.+):line (\d+)", trace)
        started = attributes.get("startTime")
        return recorder.case(
            self._name(attributes),
            outcome,
            duration=recorder.seconds(attributes.get("duration")),
            message=first_line(message),
            details="\n".join(filter(None, [message, trace])),
            stdout=result.get("stdout", ""),
            stderr=result.get("stderr", ""),
            file=place[1] if place else "",
            line=place[2] if place else None,
            started_at=recorder.moment(started) if started else None,
        )

    def _name(self, attributes: dict[str, str]) -> str:
        name = attributes.get("testName", "").strip()
        classname = self.classes.get(attributes.get("testId", ""), "")
        return name if not classname or name.startswith(f"{classname}.") else f"{classname}.{name}"
