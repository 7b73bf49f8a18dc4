"""xUnit.net, versions 1 to 3: `<assemblies>` or one `<assembly>`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from executions.reports.base import CaseOutcome, Outcome
from executions.reports.recorder import Recorder, first_line
from executions.reports.xml_events import xml_events

_RESULTS: dict[str, Outcome] = {"pass": "passed", "fail": "failed", "skip": "skipped", "notrun": "skipped"}


def read_xunit(stream: BinaryIO, recorder: Recorder) -> Iterator[CaseOutcome]:
    """Yield the outcomes of an xUnit.net report; errors of set-ups are failures outside cases."""
    return _XUnit(recorder).outcomes(stream)


class _XUnit:
    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.assembly = ""
        self.test: dict[str, str] | None = None
        self.error: dict[str, str] | None = None
        self.texts: dict[str, str] = {}

    def outcomes(self, stream: BinaryIO) -> Iterator[CaseOutcome]:
        for kind, name, attributes, text in xml_events(stream, self.recorder.limits):
            if kind == "start":
                self._start(name, attributes)
            elif name == "test" and self.test is not None:
                yield self._row(self.test)
                self.test = None
            elif name == "error":
                self._error_of_setup(attributes)
            elif text:
                self.texts.setdefault(name, text)
        if not self.recorder.facts.elements:
            self.recorder.say("The report lists no test.")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        recorder, facts = self.recorder, self.recorder.facts
        if name == "test":
            self.test, self.texts = attributes, {}
        elif name == "error":
            self.texts = {}
        elif name == "assembly":
            facts.producer = attributes.get("test-framework", "") or "xunit.net"
            self.assembly = re.split(r"[/\\]", attributes.get("name", ""))[-1]
            total, declared = attributes.get("total", ""), facts.declared
            if total.isascii() and total.isdigit() and len(total) < 10:
                declared["tests"] = declared.get("tests", 0.0) + int(total)
            recorder.describe(platform=attributes.get("environment"))
            started = attributes.get("start-rtf") or " ".join(
                filter(None, [attributes.get("run-date"), attributes.get("run-time")])
            )
            if not facts.started_at and started:
                facts.started_at = recorder.moment(started)

    def _error_of_setup(self, attributes: dict[str, str]) -> None:
        self.recorder.facts.failures_outside_cases += 1
        said = first_line(self.texts.get("message", ""))[:300]
        where = attributes.get("name") or attributes.get("type") or "the assembly"
        self.recorder.say(f"An error of {where[:200]!r} belongs to no test: {said}")

    def _row(self, test: dict[str, str]) -> CaseOutcome:
        recorder = self.recorder
        outcome = _RESULTS.get(test.get("result", "").lower())
        if outcome is None:
            recorder.say(f"The result {test.get('result', '')[:40]!r} is unknown and counts as an error.")
            outcome = "error"
        recorder.facts.elements[outcome] += 1
        name, kind, method = (test.get(key, "").strip() for key in ("name", "type", "method"))
        address = ".".join(filter(None, [kind, method]))
        nodeid = name if not address or name.startswith(kind or address) else f"{address}: {name}"
        message = self.texts.get("message") or self.texts.get("reason") or ""
        trace = self.texts.get("stack-trace", "")
        return recorder.case(
            nodeid or address,
            outcome,
            suite=self.assembly,
            duration=recorder.seconds(test.get("time")),
            message=first_line(message),
            details="\n".join(filter(None, [message, trace])) if outcome != "skipped" else "",
            stdout=self.texts.get("output", ""),
            file=test.get("source-file", ""),
            line=test.get("source-line"),
        )
