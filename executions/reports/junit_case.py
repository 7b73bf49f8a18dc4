"""One `<testcase>`: its results, the tries before them, its name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from executions.reports.base import CaseOutcome, Limits, Outcome
from executions.reports.names import case_name, junit_key, pytest_nodeid, suite_of
from executions.reports.recorder import Recorder, first_line
from executions.reports.values import parse_line

FAILING: dict[str, Outcome] = {"error": "error", "failure": "failed"}
SKIPPING = {"skipped", "skip", "ignored", "disabled", "pending"}
_TRIES: dict[str, Outcome] = {
    "flakyFailure": "failed",
    "flakyError": "error",
    "rerunFailure": "failed",
    "rerunError": "error",
}
_NOT_RUN = {"disabled", "notrun", "skipped", "ignored", "suppressed", "pending", "not run", "not_run"}
_FAILED = {"failed", "failure", "fail"}
_BROKEN = {"error", "errored", "broken", "crashed", "timeout", "timedout", "aborted"}
_RESULTS_KEPT = 20
_LONG_TIME = 9  # characters; with more of them it may be longer than durations are
_TRIES_KEPT = 1_000

Identity = tuple[str, str, str, bool]  # suite, nodeid, junit_key, is_placed


@dataclass(slots=True)
class _Result:
    outcome: Outcome
    attributes: dict[str, str]
    text: str
    stdout: str = ""
    stderr: str = ""

    @property
    def message(self) -> str:
        return self.attributes.get("message", "").strip() or first_line(self.text)


@dataclass(slots=True)
class JUnitCase:
    """What stands in a `<testcase>`, in the order in which the parser meets it."""

    attributes: dict[str, str]
    suites: list[str]
    name: str = ""
    classname: str = ""
    worst: Outcome = "passed"
    results: list[_Result] = field(default_factory=list)
    earlier: list[_Result] = field(default_factory=list)
    is_flaky: bool = False
    is_todo: bool = False
    is_pytest: bool = False
    stdout: str = ""
    stderr: str = ""
    _inside: dict[str, str] | None = None  # texts within a try

    def __post_init__(self) -> None:
        attributes = self.attributes
        self.name = attributes.get("name", "").strip()
        self.classname = (attributes.get("classname") or attributes.get("class") or "").strip()

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name in _TRIES:
            self._inside = {}

    def end(self, name: str, attributes: dict[str, str], text: str) -> None:
        if name in _TRIES:
            self._add_try(name, attributes, text)
        elif self._inside is not None:
            self._inside[name] = text
        elif name in FAILING:
            self._add_result(FAILING[name], attributes, text)
        elif name in SKIPPING:
            xfail = "xfail" in attributes.get("type", "")
            self.is_todo = self.is_todo or attributes.get("type") == "todo"
            self._add_result("xfailed" if xfail else "skipped", attributes, text)
        elif name == "system-out":
            self.stdout = f"{self.stdout}\n{text}" if self.stdout else text
        elif name == "system-err":
            self.stderr = f"{self.stderr}\n{text}" if self.stderr else text

    def _add_try(self, name: str, attributes: dict[str, str], text: str) -> None:
        inside, self._inside = self._inside or {}, None
        trace = inside.get("stackTrace", "") or text
        self.is_flaky = self.is_flaky or name.startswith("flaky")
        if len(self.earlier) < _TRIES_KEPT:
            out, err = inside.get("system-out", ""), inside.get("system-err", "")
            self.earlier.append(_Result(_TRIES[name], attributes, trace, out, err))

    def _add_result(self, outcome: Outcome, attributes: dict[str, str], text: str) -> None:
        order = ("error", "failed", "xfailed", "skipped", "passed")
        if order.index(outcome) < order.index(self.worst):
            self.worst = outcome
        if len(self.results) < _RESULTS_KEPT:
            self.results.append(_Result(outcome, attributes, text))

    def outcome(self) -> Outcome:
        """Return the one outcome of the case: error before failed before skipped before passed."""
        if self.worst == "passed" and not self.results and not self.earlier:
            said = {self.attributes.get("status", "").lower(), self.attributes.get("result", "").lower()}
            if said & _NOT_RUN:
                return "skipped"
            if said & _FAILED:
                return "failed"
            if said & _BROKEN:
                return "error"
        if self.is_todo and self.worst in {"failed", "error"}:  # node: it may fail, and fails no run
            return "xfailed"
        return self.worst

    def identity(self, unnamed: int) -> Identity:
        """Return the names of the test; without a name it is the `unnamed`-th of its report."""
        if not self.name:
            base = self.classname or " > ".join(filter(None, self.suites)) or "(no name)"
            return "", f"{base} #{unnamed}", "", False
        file = self.attributes.get("file", "")
        return _identity(self.classname, self.name, self.suites, file, is_pytest=self.is_pytest)

    def tries(self, recorder: Recorder, identity: Identity, outcome: Outcome) -> Iterator[CaseOutcome]:
        """Yield the tries of the test, the one that decides last.

        surefire writes a test that failed to the end as `<failure>` for its first try and a
        `<rerunFailure>` for each later one, and one that passed in the end with a `<flakyFailure>` for each
        that did not.
        """
        duration = self.attributes.get("time")
        rows = list(self.earlier)
        if rows and not self.is_flaky and self.results:
            rows = [*self.results[:1], *rows]
        last = rows.pop() if rows and not self.is_flaky and self.results else None
        for number, row in enumerate(rows, 1):
            yield self._row(recorder, identity, row, row.outcome, number)
        yield recorder.case(
            identity[1],
            outcome,
            suite=identity[0],
            junit_key=identity[2],
            is_placed=identity[3],
            duration=recorder.seconds(duration) if duration else None,
            attempt=len(rows) + 1,
            message=(last or self.results[0]).message if self.results else "",
            details=last.text if last else "\n\n".join(result.text for result in self.results if result.text),
            stdout=(last.stdout if last else "") or self.stdout,
            stderr=(last.stderr if last else "") or self.stderr,
            file=self.attributes.get("file", ""),
            line=self._line(),
            started_at=recorder.moment(self.attributes["timestamp"])
            if "timestamp" in self.attributes
            else None,
        )

    def _line(self) -> int | None:
        return _line(self.attributes, is_pytest=self.is_pytest)

    def _row(
        self, recorder: Recorder, identity: Identity, row: _Result, outcome: Outcome, number: int
    ) -> CaseOutcome:
        time = row.attributes.get("time")
        return recorder.case(
            identity[1],
            outcome,
            suite=identity[0],
            junit_key=identity[2],
            is_placed=identity[3],
            duration=recorder.seconds(time) if time else None,
            attempt=number,
            is_final=False,
            message=row.message,
            details=row.text,
            stdout=row.stdout,
            stderr=row.stderr,
            file=self.attributes.get("file", ""),
            line=self._line(),
        )


def passed(
    attributes: dict[str, str], name: str, suites: list[str], recorder: Recorder, *, is_pytest: bool
) -> CaseOutcome:
    """Return the row of a testcase called `name` that holds nothing, as `JUnitCase` would."""
    row = _simple(attributes, name, recorder.limits) if is_pytest and len(attributes) == 3 else None
    if row is not None:
        return row
    classname = (attributes.get("classname") or attributes.get("class") or "").strip()
    file = attributes.get("file", "")
    suite, nodeid, key, is_placed = _identity(classname, name, suites, file, is_pytest=is_pytest)
    duration = attributes.get("time")
    return recorder.case(
        nodeid,
        "passed",
        suite=suite,
        junit_key=key,
        is_placed=is_placed,
        duration=recorder.seconds(duration) if duration else None,
        file=file,
        line=_line(attributes, is_pytest=is_pytest),
        started_at=recorder.moment(attributes["timestamp"]) if "timestamp" in attributes else None,
    )


def _simple(attributes: dict[str, str], name: str, limits: Limits) -> CaseOutcome | None:
    """What pytest writes of nearly every test: classname, name and time, short and in ASCII."""
    classname, time = attributes.get("classname", ""), attributes.get("time", "")
    if classname != classname.strip() or not classname or len(time) > _LONG_TIME:
        return None
    if not time.replace(".", "", 1).isdigit():
        return None
    nodeid, is_placed = pytest_nodeid(classname, name)
    key = f"{classname}::{name}"
    if max(len(nodeid), len(key)) * 4 > limits.name_bytes or not (key + time).isascii():
        return None
    return CaseOutcome(nodeid, "passed", "", key, float(time), is_placed=is_placed)


def _identity(classname: str, name: str, suites: list[str], file: str, *, is_pytest: bool) -> Identity:
    if is_pytest:
        nodeid, is_placed = pytest_nodeid(classname, name, file)
        return "", nodeid, f"{classname}::{name}" if classname else junit_key(nodeid), is_placed
    return _suite(tuple(suites), classname), case_name(classname, name), "", True


@lru_cache(maxsize=1024)  # the tests of a class come one after another
def _suite(suites: tuple[str, ...], classname: str) -> str:
    return suite_of(list(suites), classname)


def _line(attributes: dict[str, str], *, is_pytest: bool) -> int | None:
    found = attributes.get("line") or attributes.get("lineno")
    line = parse_line(found) if found else None
    return line + 1 if line is not None and is_pytest else line  # pytest counts from 0
