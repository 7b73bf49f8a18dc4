"""pytest-json-report: one JSON document with a list of tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from executions.reports.base import CaseOutcome, Outcome
from executions.reports.json_parts import json_parts
from executions.reports.names import junit_key
from executions.reports.pytest_texts import deciding, one_based, outcome_of, texts_of, times_of
from executions.reports.recorder import Recorder

_OUTCOMES: dict[str, Outcome] = {
    "passed": "passed",
    "failed": "failed",
    "error": "error",
    "skipped": "skipped",
    "xfailed": "xfailed",
    "xpassed": "xpassed",
}
_PHASES = ("setup", "call", "teardown")


def read_pytest_json(stream: BinaryIO, recorder: Recorder) -> Iterator[CaseOutcome]:
    """Yield the outcomes of a report of pytest-json-report, collections that failed among them."""
    facts = recorder.facts
    facts.producer = "pytest"
    collected: set[str] = set()
    for path, value in json_parts(stream, {("summary",), ("environment",)}, recorder.limits):
        if path == ("tests",) and isinstance(value, dict):
            yield from _test(value, recorder)
        elif path == ("collectors",) and isinstance(value, dict):
            yield from _collector(value, recorder, collected)
        else:
            _note(path, value, recorder)
    if not facts.elements:
        recorder.say("The report lists no test.")


def _note(path: tuple[str, ...], value: Any, recorder: Recorder) -> None:
    facts = recorder.facts
    if path == ("created",):
        facts.started_at = recorder.moment(value)
    elif path == ("exitcode",) and isinstance(value, int):
        facts.exit_code = value
    elif path[0] == "summary" and len(path) > 1:
        recorder.declare(**{path[1]: value})
    elif path == ("environment", "Python"):
        recorder.describe(python_version=value)
    elif path == ("environment", "Platform"):
        recorder.describe(platform=value)


def _collector(value: dict[str, Any], recorder: Recorder, seen: set[str]) -> Iterator[CaseOutcome]:
    outcome, nodeid = value.get("outcome"), value.get("nodeid")
    if outcome not in {"failed", "skipped"} or not isinstance(nodeid, str) or nodeid in seen:
        return
    seen.add(nodeid)
    result: Outcome = "error" if outcome == "failed" else "skipped"
    recorder.facts.elements[result] += 1
    message, details = texts_of(value.get("longrepr"))
    yield recorder.case(
        nodeid,
        result,
        junit_key=junit_key(nodeid),
        file=nodeid.partition("::")[0],
        message=message,
        details=details,
    )


def _test(value: dict[str, Any], recorder: Recorder) -> Iterator[CaseOutcome]:
    nodeid = value.get("nodeid")
    nodeid = nodeid if isinstance(nodeid, str) else ""
    phases = {name: value[name] for name in _PHASES if isinstance(value.get(name), dict)}
    told = value.get("outcome")
    known = _OUTCOMES.get(str(told).lower())
    outcome = known or (outcome_of(phases) if phases else "error")
    if not known and not phases:
        recorder.say(
            f"The outcome {str(told)[:40]!r} is unknown and its test has no phases: it counts as an error."
        )
    elif not known and told != "rerun":
        recorder.say(f"The outcome {str(told)[:40]!r} is read from the phases of its test: {outcome}.")
    recorder.facts.elements[outcome] += 1
    place: dict[str, Any] = {"file": nodeid.partition("::")[0], "line": one_based(value.get("lineno"))}
    key = junit_key(nodeid)
    if told == "rerun":  # the report keeps neither how often nor why
        message = "failed and was run again"
        yield recorder.case(nodeid, "failed", junit_key=key, is_final=False, message=message, **place)
    total, call = times_of(phases)
    decided = deciding(phases)
    message, details = texts_of(decided.get("longrepr"))
    crash = decided.get("crash")
    if isinstance(crash, dict) and isinstance(crash.get("message"), str):
        message = crash["message"]
    yield recorder.case(
        nodeid,
        outcome,
        junit_key=key,
        attempt=2 if told == "rerun" else 1,
        duration=recorder.seconds(total),
        call_duration=recorder.seconds(call),
        message=message if outcome != "passed" else "",
        details=details if outcome != "passed" else "",
        stdout=_output(phases, "stdout", "log"),
        stderr=_output(phases, "stderr"),
        **place,
    )


def _output(phases: dict[str, dict[str, Any]], *names: str) -> str:
    texts = [phase.get(name) for phase in phases.values() for name in names]
    return "\n".join(text for text in texts if isinstance(text, str) and text.strip())
