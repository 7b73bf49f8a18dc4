"""From pytest's reports of phases to one record for each try of each test."""

from __future__ import annotations

from collections.abc import Callable
from json.encoder import encode_basestring as quoted
from typing import Any

from runtrail.masking import Mask
from runtrail.report_file import ReportFile, Totals, encode

MESSAGE, TEXT, SESSION = 2_000, 20_000, 32_000_000  # characters kept: of a line, a text, all texts
SUBTESTS = 100  # of those that did not pass, per test
PHASES = ("setup", "call", "teardown")
TEST_OUTCOMES = frozenset({"passed", "failed", "skipped"})
_WEIGHT = {"passed": 0, "skipped": 1, "xfailed": 1, "xpassed": 1, "failed": 2, "error": 3}


class Try:
    """What is known so far of one test that runs."""

    __slots__ = ("bad", "head", "is_retried", "subtests", "times")

    def __init__(self, head: bytes) -> None:
        self.head = head  # the first half of its line
        self.is_retried = False
        self.times: dict[str, float] = {}
        self.bad: list[Any] = []  # reports that decide an outcome other than passed
        self.subtests: list[Any] = []


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
        if not self._distributed:
            if nodeid in self._tries:  # it was tried again without a teardown
                self._close(nodeid, nodeid, "")
            self._begin(nodeid, location, now)

    def add(self, report: Any) -> None:
        """A phase of a test has ended."""
        nodeid, when = report.nodeid, report.when
        worker = _worker_of(report) if self._distributed else ""
        key = (worker, nodeid) if worker else nodeid
        attempt = self._tries.get(key)
        if attempt is None or (when == "setup" and "setup" in attempt.times):
            if attempt is not None:
                self._close(key, nodeid, worker)
            attempt = self._begin(key, report.location, getattr(report, "start", 0.0))
        if when == "call" and hasattr(report, "context"):
            attempt.subtests.append(report)
            return
        if when in PHASES:
            attempt.times[when] = report.duration
        if report.outcome != "passed" or hasattr(report, "wasxfail"):
            attempt.bad.append(report)
            if report.outcome not in TEST_OUTCOMES:
                attempt.is_retried = True
        if when != "setup" and when != "call":
            self._close(key, nodeid, worker)

    def add_collection(self, report: Any) -> None:
        """A module that can't be collected is a case of its own; so is one that is skipped as a whole."""
        if report.outcome == "passed":
            return
        nodeid = self._mask.name(report.nodeid or ".")
        outcome = "skipped" if report.outcome == "skipped" else "error"
        record: dict[str, Any] = {"type": "test", "nodeid": nodeid, "file": nodeid.partition("::")[0]}
        record.update({"outcome": outcome, "duration": 0, "when": "collect", **self._explain(report)})
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

    def _begin(self, key: Any, location: Any, started_at: float) -> Try:
        nodeid = key[1] if isinstance(key, tuple) else key
        path, line = location[:2] if location else (nodeid.partition("::")[0], None)
        # Written by hand, here and in `_passed`: this is the cost of every test there is.
        head = f'{{"type":"test","nodeid":{quoted(self._mask.name(nodeid))},"file":{quoted(_slashes(path))}'
        if line is not None:
            head += f',"line":{line + 1}'
        if started_at:
            head += f',"started_at":{started_at:.6f}'
        attempt = self._tries[key] = Try(head.encode("utf-8", "replace"))
        if not self._distributed:
            self._file.begin(attempt.head)
        return attempt

    def _close(self, key: Any, nodeid: str, worker: str) -> None:
        attempt = self._tries.pop(key)
        number = self._retried.get(nodeid, 0) + 1 if self._retried else 1
        record: dict[str, Any] = {"attempt": number} if number > 1 else {}
        if attempt.is_retried:
            self._retried[nodeid] = number
            record["final"] = False
        markers = self._markers_of(nodeid)
        if markers:
            record["markers"] = markers
        if worker:
            record["worker"] = worker
        outcome = "passed"
        if attempt.bad or attempt.subtests:
            record.update(self._decided(attempt))
            outcome = record.pop("outcome")
        self.totals.add(nodeid, outcome, not attempt.is_retried)
        rest = _timed(outcome, attempt.times) + (b"," + encode(record)[1:] if record else b"}")
        self._file.finish(attempt.head, rest + b"\n")

    def _decided(self, attempt: Try) -> dict[str, Any]:
        """Return the outcome by the phases that did not simply pass, and what they said."""
        record: dict[str, Any] = {"outcome": "passed"}
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
                texts = {"message": record["subtests"]["cases"][0].get("message", ""), **texts}
        return {**record, **texts}

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


def _timed(outcome: str, times: dict[str, float]) -> bytes:
    if len(times) == 3:
        setup, call, teardown = times["setup"], times["call"], times["teardown"]
        return (
            f',"outcome":"{outcome}","setup":{setup:.6f},"call":{call:.6f},"teardown":{teardown:.6f}'
            f',"duration":{setup + call + teardown:.6f}'
        ).encode()
    phases = "".join(f',"{phase}":{seconds:.6f}' for phase, seconds in times.items())
    return f',"outcome":"{outcome}"{phases},"duration":{sum(times.values()):.6f}'.encode()


def _slashes(path: Any) -> str:
    text = str(path)
    return text.replace("\\", "/") if "\\" in text else text


def _worker_of(report: Any) -> str:
    node: Any = getattr(report, "node", None)
    return str(node.gateway.id) if node is not None else ""


def _when(report: Any) -> str:
    return report.when if report.when in PHASES else "crash"


def _subtest_name(report: Any) -> str:
    name: str = getattr(report, "_sub_test_description", getattr(report, "sub_test_description", str))()
    return name
