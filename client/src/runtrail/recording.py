"""From pytest's reports of phases to one record for each try of each test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional

from runtrail.masking import Mask
from runtrail.report_file import ReportFile, Totals

MESSAGE, TEXT, SESSION = 2_000, 20_000, 32_000_000  # characters kept: of a line, a text, all texts
SUBTESTS = 100  # of those that did not pass, per test
PHASES = ("setup", "call", "teardown")
TEST_OUTCOMES = frozenset({"passed", "failed", "skipped"})
_WEIGHT = {"passed": 0, "skipped": 1, "xfailed": 1, "xpassed": 1, "failed": 2, "error": 3}


class Try:
    """What is known so far of one test that runs."""

    __slots__ = ("bad", "file", "has_head", "is_retried", "line", "started_at", "subtests", "times")

    def __init__(self, location: Any) -> None:
        self.file, self.line = location[0], location[1]
        self.has_head = self.is_retried = False
        self.times: dict[str, float] = {}
        self.bad: list[Any] = []  # reports that decide an outcome other than passed
        self.subtests: list[Any] = []
        self.started_at = 0.0


class Recorder:
    """Follows the tests of a session and writes a line for each try that has ended.

    `markers_of(nodeid)` gives the names of a test's markers.  With `distributed`, tests of several
    workers run at once, and their reports come mixed.
    """

    def __init__(
        self,
        file: ReportFile,
        mask: Mask,
        markers_of: Callable[[str], list[str]],
        *,
        distributed: bool = False,
    ) -> None:
        self.totals = Totals()
        self._file, self._mask, self._markers_of = file, mask, markers_of
        self._distributed = distributed
        self._tries: dict[Any, Try] = {}
        self._retried: dict[str, int] = {}
        self._room = SESSION

    def begin(self, nodeid: str, location: Any, now: float) -> None:
        """A test begins; of several workers it is not known which one."""
        if self._distributed:
            return
        if nodeid in self._tries:
            self._close(nodeid, nodeid, "")
        self._tries[nodeid] = attempt = Try(location)
        self._begin_line(nodeid, attempt, now)

    def add(self, report: Any) -> None:
        """A phase of a test has ended."""
        nodeid, when = report.nodeid, report.when
        worker = _worker_of(report) if self._distributed else ""
        key = (worker, nodeid) if worker else nodeid
        attempt = self._tries.get(key)
        if attempt is None or (when == "setup" and "setup" in attempt.times):
            if attempt is not None:  # it was tried again without a teardown
                self._close(key, nodeid, worker)
            self._tries[key] = attempt = Try(report.location or (nodeid.split("::")[0], None))
            if not self._distributed:
                self._begin_line(nodeid, attempt, getattr(report, "start", 0))
        if when == "call" and hasattr(report, "context"):  # a subtest
            attempt.subtests.append(report)
            return
        if when in PHASES:
            attempt.times[when] = report.duration
            if when == "setup" and self._distributed:
                attempt.started_at = getattr(report, "start", 0)
        if report.outcome != "passed" or hasattr(report, "wasxfail"):
            attempt.bad.append(report)
            if report.outcome not in TEST_OUTCOMES:
                attempt.is_retried = True
        if when not in ("setup", "call"):
            self._close(key, nodeid, worker)

    def add_collection(self, report: Any) -> None:
        """A module that can't be collected is a case of its own; so is one that is skipped as a whole."""
        if report.outcome == "passed":
            return
        nodeid = self._mask.name(report.nodeid or ".")
        outcome = "skipped" if report.outcome == "skipped" else "error"
        record = {"type": "test", "nodeid": nodeid, "file": nodeid.split("::")[0], "outcome": outcome}
        record.update({"duration": 0, "when": "collect", **self._explain(report)})
        self.totals.add(nodeid, outcome)
        self._file.write(record)

    def problem(self, kind: str, text: str) -> None:
        self._file.write({"type": "problem", "kind": kind, "text": self._bounded(text, TEXT)})

    def close(self) -> list[str]:
        """End what still runs; return the tests that had begun and have no outcome."""
        running = []
        for key, attempt in list(self._tries.items()):
            worker, nodeid = key if isinstance(key, tuple) else ("", key)
            if attempt.bad or "call" in attempt.times:
                self._close(key, nodeid, worker)
            else:
                running.append(self._mask.name(nodeid))
        self._file.drop_head()
        return running

    def _begin_line(self, nodeid: str, attempt: Try, started_at: float) -> None:
        record = {"type": "test", "nodeid": self._mask.name(nodeid), **_place(attempt)}
        if started_at:
            record["started_at"] = round(started_at, 6)
        self._file.begin(record)
        attempt.has_head = True

    def _close(self, key: Any, nodeid: str, worker: str) -> None:
        attempt = self._tries.pop(key)
        record: dict[str, Any] = {"outcome": "passed"}
        if attempt.bad or attempt.subtests:
            self._decide(attempt, record)
        duration = 0.0
        for phase, seconds in attempt.times.items():
            record[phase] = round(seconds, 6)
            duration += seconds
        record["duration"] = round(duration, 6)
        number = self._retried.get(nodeid, 0) + 1
        if number > 1:
            record["attempt"] = number
        if attempt.is_retried:
            self._retried[nodeid] = number
            record["final"] = False
        markers = self._markers_of(nodeid)
        if markers:
            record["markers"] = markers
        if worker:
            record["worker"] = worker
        self.totals.add(nodeid, record["outcome"], not attempt.is_retried)
        if attempt.has_head:
            self._file.finish(record)
        else:
            head = {"type": "test", "nodeid": self._mask.name(nodeid), **_place(attempt)}
            if attempt.started_at:
                head["started_at"] = round(attempt.started_at, 6)
            self._file.write({**head, **record})

    def _decide(self, attempt: Try, record: dict[str, Any]) -> None:
        """Set the outcome by the phases that did not simply pass, and what they said."""
        texts: dict[str, Any] = {}
        for report in attempt.bad:
            outcome = outcome_of(report)
            if report.when == "teardown" and outcome == "error":
                record["before_teardown"] = record["outcome"]
            if _WEIGHT[outcome] > _WEIGHT[record["outcome"]]:
                record["outcome"], record["when"] = outcome, _when(report)
            texts = texts if texts.get("traceback") else self._explain(report)
        if attempt.subtests:
            record["subtests"] = self._subtests(attempt.subtests)
            if record["subtests"]["failed"] and record["outcome"] in ("passed", "skipped", "xpassed"):
                record["outcome"], record["when"] = "failed", "call"
        record.update(texts)

    def _subtests(self, reports: list[Any]) -> dict[str, Any]:
        bad = [report for report in reports if report.outcome != "passed"]
        failed = sum(report.outcome == "failed" for report in bad)
        cases = []
        for report in bad[:SUBTESTS]:
            name = self._bounded(_subtest_name(report), MESSAGE)
            texts = {key: text for key, text in self._explain(report).items() if key != "output"}
            cases.append({"name": name, "outcome": report.outcome, **texts})
        return {"total": len(reports), "failed": failed, "skipped": len(bad) - failed, "cases": cases}

    def _explain(self, report: Any) -> dict[str, Any]:
        """Message, traceback and output of a report that did not pass."""
        self._mask.refresh()
        message, traceback = explanation(report)
        found: dict[str, Any] = {}
        if message:
            found["message"] = self._bounded(message, MESSAGE)
        if report.outcome in ("passed", "skipped") or self._room <= 0:
            return found
        if traceback:
            found["traceback"] = self._bounded(traceback, TEXT)
        output = [{"name": name, "text": self._bounded(text, TEXT)} for name, text in report.sections if text]
        if output:
            found["output"] = output
        self._room -= len(found.get("traceback", "")) + sum(len(part["text"]) for part in output)
        return found

    def _bounded(self, text: str, limit: int) -> str:
        """Mask first and cut then, so that no half of a secret stays."""
        text = self._mask.text(text)
        if len(text) <= limit:
            return text
        half = limit // 2 - 40
        return f"{text[:half]}\n… {len(text) - 2 * half:,} characters left out …\n{text[-half:]}"


def outcome_of(report: Any) -> str:
    """The outcome of a phase, in the words of docs/report-format.md."""
    if report.outcome == "skipped":
        return "xfailed" if hasattr(report, "wasxfail") else "skipped"
    if report.outcome == "passed":
        return "xpassed" if hasattr(report, "wasxfail") else "passed"
    return "error" if report.when in ("setup", "teardown") else "failed"


def explanation(report: Any) -> tuple[str, str]:
    """One line that says why, and the text that pytest shows."""
    longrepr = report.longrepr
    reason = getattr(report, "wasxfail", None)
    if reason is not None:
        return str(reason).replace("reason: ", "", 1), ""
    if isinstance(longrepr, tuple):  # (path, line, "Skipped: reason")
        return str(longrepr[2]).replace("Skipped: ", "", 1), ""
    if longrepr is None:
        return "", ""
    text = str(longrepr)
    crash = getattr(longrepr, "reprcrash", None)
    message = str(crash.message) if crash is not None else text.strip()
    return message.partition("\n")[0], text


def _place(attempt: Try) -> dict[str, Any]:
    place: dict[str, Any] = {"file": str(attempt.file).replace("\\", "/")}
    if attempt.line is not None:
        place["line"] = attempt.line + 1
    return place


def _worker_of(report: Any) -> str:
    node: Optional[Any] = getattr(report, "node", None)
    return str(node.gateway.id) if node is not None else ""


def _when(report: Any) -> str:
    return report.when if report.when in PHASES else "crash"


def _subtest_name(report: Any) -> str:
    name: str = getattr(report, "_sub_test_description", getattr(report, "sub_test_description", str))()
    return name
