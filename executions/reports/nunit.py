"""NUnit 3 (`<test-run>`) and NUnit 2 (`<test-results>`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from executions.reports.base import CaseOutcome, Outcome
from executions.reports.names import suite_of
from executions.reports.recorder import Recorder, first_line
from executions.reports.xml_events import xml_events

_RESULTS: dict[str, Outcome] = {
    **dict.fromkeys(("passed", "success", "warning"), "passed"),
    **dict.fromkeys(("failed", "failure"), "failed"),
    **dict.fromkeys(("error", "cancelled", "invalid"), "error"),
    **dict.fromkeys(("skipped", "ignored", "inconclusive", "notrun", "notrunnable", "explicit"), "skipped"),
}
_COUNTS = {"total": "tests", "passed": "passed", "failed": "failed", "skipped": "skipped"}
_COUNTS |= {"failures": "failures", "errors": "errors", "not-run": "not_run"}


def read_nunit(stream: BinaryIO, recorder: Recorder) -> Iterator[CaseOutcome]:
    """Yield the outcomes of an NUnit report; inconclusive and ignored tests count as skipped."""
    return _NUnit(recorder).outcomes(stream)


class _NUnit:
    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.suites: list[str] = []
        self.broken: list[str] = []  # of each open suite: its name, where its own set-up or teardown failed
        self.case: dict[str, str] | None = None
        self.texts: dict[str, str] = {}

    def outcomes(self, stream: BinaryIO) -> Iterator[CaseOutcome]:
        for kind, name, attributes, text in xml_events(stream, self.recorder.limits):
            if kind == "start":
                self._start(name, attributes)
            elif name == "test-case" and self.case is not None:
                yield self._row(self.case)
                self.case = None
            elif self.case is not None and text:
                self.texts.setdefault(name, text)
            elif name == "message" and self.broken and self.broken[-1]:
                self.recorder.facts.failures_outside_cases += 1
                self.recorder.say(
                    f"A failure of {self.broken[-1]!r} belongs to no test: {text.strip()[:300]}"
                )
                self.broken[-1] = ""
            elif name == "test-suite":
                self.suites.pop()
                self.broken.pop()
        if not self.recorder.facts.elements:
            self.recorder.say("The report lists no test.")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        recorder, facts = self.recorder, self.recorder.facts
        if name == "test-case":
            self.case, self.texts = attributes, {}
        elif name == "test-suite":
            self.suites.append(attributes.get("name", ""))
            is_own = attributes.get("site", "") in {"SetUp", "TearDown"}
            self.broken.append((attributes.get("fullname") or self.suites[-1])[:200] if is_own else "")
        elif name in {"test-run", "test-results"}:
            facts.producer = "nunit"
            recorder.declare(**{_COUNTS[key]: value for key, value in attributes.items() if key in _COUNTS})
            started = attributes.get("start-time") or " ".join(
                filter(None, [attributes.get("date"), attributes.get("time")])
            )
            facts.started_at = recorder.moment(started)
        elif name == "environment":
            recorder.describe(
                platform=attributes.get("os-version") or attributes.get("platform"),
                host=attributes.get("machine-name"),
            )

    def _row(self, case: dict[str, str]) -> CaseOutcome:
        recorder = self.recorder
        outcome = _outcome(case)
        recorder.facts.elements[outcome] += 1
        full = (case.get("fullname") or case.get("name") or "").strip()
        classname = case.get("classname", "") or full
        started = case.get("start-time")
        message = self.texts.get("message") or self.texts.get("reason") or ""
        return recorder.case(
            full,
            outcome,
            suite=suite_of([name for name in self.suites if name not in full.split(".")], classname),
            duration=recorder.seconds(case.get("duration") or case.get("time")),
            message=first_line(message),
            details="\n".join(filter(None, [message, self.texts.get("stack-trace", "")]))
            if outcome in {"failed", "error"}
            else "",
            stdout=self.texts.get("output", ""),
            started_at=recorder.moment(started) if started else None,
        )


def _outcome(case: dict[str, str]) -> Outcome:
    result = case.get("result", "").lower()
    if result in _RESULTS:
        return _RESULTS[result]
    if case.get("executed", "").lower() == "false":
        return "skipped"
    return "failed" if case.get("success", "").lower() == "false" else "passed"
