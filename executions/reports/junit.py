"""JUnit XML, as every runner writes it.

There is no standard; what is read here is what producers agree on, and what they add: re-runs of
surefire and nextest, disabled tests of gtest and ctest, nested suites of phpunit, several results in one
case, pytest's two families.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from executions.reports.attempts import Tries
from executions.reports.base import CaseOutcome
from executions.reports.junit_case import FAILING, JUnitCase, passed
from executions.reports.producers import is_playwright, is_pytest, producer_by_property, producer_of
from executions.reports.recorder import Recorder
from executions.reports.xml_events import xml_events

_METADATA = {"os.name": "platform", "python_version": "python_version", "java.version": "java_version"}
_METADATA |= {"go.version": "go_version", "platform": "platform"}


def read_junit(stream: BinaryIO, recorder: Recorder) -> Iterator[CaseOutcome]:
    """Yield the outcomes of a JUnit report; cases may lie anywhere beneath the root."""
    return _JUnit(recorder).outcomes(stream)


class _JUnit:
    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.root: dict[str, str] = {}
        self.suites: list[str] = []
        self.is_pytest = False
        self.cases: list[JUnitCase] = []
        self.unnamed = 0
        self.bare = 0  # cases in no suite, which no suite declares
        self.tries = Tries()

    def outcomes(self, stream: BinaryIO) -> Iterator[CaseOutcome]:
        plain: dict[str, str] | None = None  # of a testcase in which nothing was seen yet: most have nothing
        for kind, name, attributes, text in xml_events(stream, self.recorder.limits):
            if kind == "start":
                if plain is not None:
                    self._begin(plain)
                    plain = None
                if name == "testcase" and self.root and not self.cases:
                    plain = attributes
                else:
                    self._start(name, attributes)
            elif plain is not None:
                yield from self._plain(plain)
                plain = None
            elif name == "testcase" and self.cases:
                yield from self._close(self.cases.pop())
            elif self.cases:
                self.cases[-1].end(name, attributes, text)
            elif name == "testsuite":
                self.suites.pop()
                yield from self.tries.rest()
            else:
                self._outside(name, attributes, text)
        yield from self.tries.rest()
        self._conclude()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if not self.root:
            self.root = attributes or {"name": ""}
            self._open_root(attributes)
        if name == "testcase":
            self._begin(attributes)
        elif self.cases:
            self.cases[-1].start(name, attributes)
        elif name == "testsuite":
            self._open_suite(attributes)

    def _begin(self, attributes: dict[str, str]) -> None:
        self.cases.append(JUnitCase(attributes, self.suites, is_pytest=self.is_pytest))

    def _plain(self, attributes: dict[str, str]) -> Iterable[CaseOutcome]:
        """The rows of a testcase without anything in it, which passed."""
        name = attributes.get("name", "").strip()
        if not name or "status" in attributes or "result" in attributes:
            return self._close(JUnitCase(attributes, self.suites, is_pytest=self.is_pytest))
        self.bare += not self.suites
        row = passed(attributes, name, self.suites, self.recorder, is_pytest=self.is_pytest)
        self.recorder.facts.elements["passed"] += 1
        return self.tries.add(row) if self.is_pytest else (row,)

    def _open_root(self, attributes: dict[str, str]) -> None:
        self.recorder.declare(**{key: attributes[key] for key in _COUNTS if key in attributes})

    def _open_suite(self, attributes: dict[str, str]) -> None:
        recorder, facts = self.recorder, self.recorder.facts
        is_root = attributes is self.root
        if not self.suites:
            self.is_pytest = is_pytest(attributes, {} if is_root else self.root)
            facts.producer = facts.producer or producer_of({} if is_root else self.root, attributes)
            if not is_root and not _COUNTS.intersection(self.root):
                _add_declared(facts.declared, attributes)
        if not facts.started_at and (stamp := attributes.get("timestamp")):
            facts.started_at = recorder.moment(stamp)
        name, host = attributes.get("name", ""), attributes.get("hostname", "")
        if is_playwright(attributes, self.root):
            # The same test in two browsers is two tests; its file is in its class name as well.
            name = f"[{host}]" if host else ""
        elif host and "host" not in facts.metadata:
            recorder.describe(host=host)
        self.suites.append(name)

    def _outside(self, name: str, attributes: dict[str, str], text: str) -> None:
        facts = self.recorder.facts
        if name == "property":
            key = attributes.get("name", "")
            facts.producer = facts.producer or producer_by_property(key)
            if key in _METADATA:
                self.recorder.describe(**{_METADATA[key]: attributes.get("value", text)})
        elif name in FAILING:
            facts.failures_outside_cases += 1
            suite = " > ".join(filter(None, self.suites)) or "the report"
            message = attributes.get("message") or text.strip()[:200]
            what = "An error" if name == "error" else "A failure"
            self.recorder.say(f"{what} of {suite[:200]!r} belongs to no test: {message[:300]}")

    def _close(self, case: JUnitCase) -> Iterator[CaseOutcome]:
        outcome = case.outcome()
        self.recorder.facts.elements[outcome] += 1
        self.bare += not self.suites
        if not case.name:
            self.unnamed += 1
        identity = case.identity(self.unnamed)
        for row in case.tries(self.recorder, identity, outcome):
            if self.is_pytest and case.name:
                yield from self.tries.add(row)
            else:
                yield row

    def _conclude(self) -> None:
        facts = self.recorder.facts
        declared, seen = facts.declared.get("tests"), facts.elements.total()
        if declared is not None and "tests" not in self.root:
            declared += self.bare
        if declared is not None and declared != seen and facts.producer != "pytest":
            self.recorder.say(
                f"The report declares {declared:g} tests and lists {seen}; what it lists is kept."
            )
        elif not seen:
            self.recorder.say("The report lists no test.")


_COUNTS = {"tests", "failures", "errors", "skipped", "disabled", "time"}


def _add_declared(declared: dict[str, float], attributes: dict[str, str]) -> None:
    for key in _COUNTS - {"time"}:
        value = attributes.get(key, "").strip()
        if value.isascii() and value.isdigit() and len(value) < 10:
            declared[key] = declared.get(key, 0.0) + int(value)
