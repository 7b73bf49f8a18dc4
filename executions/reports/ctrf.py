"""CTRF, the Common Test Report Format: one JSON document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from executions.reports.base import CaseOutcome, Outcome, UnreadableReport
from executions.reports.json_parts import json_parts
from executions.reports.names import junit_key
from executions.reports.recorder import Recorder

_STATUS: dict[str, Outcome] = {
    "passed": "passed",
    "failed": "failed",
    "skipped": "skipped",
    "pending": "skipped",
    "other": "skipped",
}
_ENTER = {("results",), ("results", "summary"), ("results", "tool"), ("results", "environment")}
_TRIES_KEPT = 1_000
_METADATA = {"osPlatform": "platform", "testEnvironment": "environment", "osRelease": "os_release"}
_CONTEXT = {"branchName": "branch", "commit": "commit", "buildUrl": "ci_job_url"}


def read_ctrf(stream: BinaryIO, recorder: Recorder) -> Iterator[CaseOutcome]:
    """Yield the outcomes of a CTRF report, the tries before the last from `retryAttempts`.

    Raises:
        UnreadableReport: also when it has no list of tests.
    """
    tool = ""
    seen = has_results = False
    for path, value in json_parts(stream, _ENTER, recorder.limits):
        has_results = has_results or path[0] == "results"
        if path == ("results", "tests"):
            seen = True
            if not isinstance(value, dict) or not isinstance(value.get("name"), str):
                raise UnreadableReport("A test has no name. The report does not keep to the CTRF schema.")
            yield from _test(value, recorder, is_pytest="pytest" in tool)
        elif path == ("results", "tool", "name"):
            tool = str(value).lower()
            recorder.facts.producer = str(value)[:60]
        else:
            _note(path, value, recorder)
    if not has_results:
        raise UnreadableReport("The report has no results. It does not keep to the CTRF schema.")
    if not seen:
        recorder.say("The report lists no test.")


def _note(path: tuple[str, ...], value: Any, recorder: Recorder) -> None:
    facts, last = recorder.facts, path[-1]
    if path[:2] == ("results", "summary"):
        if last == "start":
            facts.started_at = recorder.moment(value)
        elif last not in {"stop", "duration"}:
            recorder.declare(**{last[:40]: value})
    elif path[:2] == ("results", "environment"):
        if last in _METADATA:
            recorder.describe(**{_METADATA[last]: value})
        elif last in _CONTEXT and isinstance(value, str):
            facts.context[_CONTEXT[last]] = value[:1000]


def _test(value: dict[str, Any], recorder: Recorder, *, is_pytest: bool) -> Iterator[CaseOutcome]:
    outcome = _outcome(value, recorder)
    recorder.facts.elements[outcome] += 1
    names = _names(value, is_pytest=is_pytest)
    earlier = _earlier(value, outcome)
    for number, row in enumerate(earlier, 1):
        yield _row(row, _outcome(row, recorder), names, recorder, attempt=number, is_final=False)
    tags = value.get("tags")
    yield _row(
        value,
        outcome,
        {**names, "markers": tags if isinstance(tags, list) else ()},
        recorder,
        attempt=len(earlier) + 1,
        is_final=True,
    )


def _outcome(value: dict[str, Any], recorder: Recorder) -> Outcome:
    status = str(value.get("status", "")).lower()
    if status not in _STATUS:
        raise UnreadableReport(f"A test has the status {status[:40]!r}, which CTRF does not know.")
    raw = str(value.get("rawStatus", "")).lower()
    if raw == "xfailed" or raw == "xpassed":
        return "xfailed" if raw == "xfailed" else "xpassed"
    if status == "other":
        recorder.say("Tests with the status other are counted as skipped.")
    return _STATUS[status]


def _earlier(value: dict[str, Any], outcome: Outcome) -> list[dict[str, Any]]:
    """Return the tries before the one that decides; some tools list that one among them, too."""
    retries = value.get("retries")
    count = retries if isinstance(retries, int) and retries > 0 else 0
    listed = value.get("retryAttempts")
    tries = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
    if tries:
        is_own = _STATUS.get(str(tries[-1].get("status", "")).lower()) == outcome and len(tries) > count
        return tries[: len(tries) - is_own][:_TRIES_KEPT]
    return [{"status": "failed", "message": "failed and was run again"}] * min(count, _TRIES_KEPT)


def _names(value: dict[str, Any], *, is_pytest: bool) -> dict[str, Any]:
    name, file = value["name"], value.get("filePath")
    file = file.replace("\\", "/") if isinstance(file, str) else ""
    if is_pytest and ("::" in name or file):
        nodeid = name if "::" in name or name == file else f"{file}::{name}"
        return {"nodeid": nodeid, "junit_key": junit_key(nodeid), "file": file or nodeid.partition("::")[0]}
    suite = value.get("suite")
    if isinstance(suite, list):
        suite = " > ".join(part for part in suite if isinstance(part, str))
    return {"nodeid": name, "suite": suite if isinstance(suite, str) and suite else file, "file": file}


def _row(
    value: dict[str, Any],
    outcome: Outcome,
    names: dict[str, Any],
    recorder: Recorder,
    *,
    attempt: int,
    is_final: bool,
) -> CaseOutcome:
    milliseconds = value.get("duration")
    if isinstance(milliseconds, int | float) and not isinstance(milliseconds, bool):
        milliseconds = milliseconds / 1000 if abs(milliseconds) < 1e300 else None
    start = value.get("start")
    return recorder.case(
        outcome=outcome,
        attempt=attempt,
        is_final=is_final,
        duration=recorder.seconds(milliseconds),
        message=_text(value.get("message")),
        details=_text(value.get("trace")),
        stdout=_text(value.get("stdout")),
        stderr=_text(value.get("stderr")),
        line=value.get("line"),
        started_at=recorder.moment(start) if start else None,
        **names,
    )


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""
