"""The report file of Runtrail's own pytest plugin; docs/report-format.md describes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from executions.reports.base import CaseOutcome, Outcome, UnreadableReport
from executions.reports.json_parts import json_lines
from executions.reports.names import junit_key
from executions.reports.recorder import Recorder
from executions.reports.values import parse_moment

_VERSION = 1
_OUTCOMES: dict[str, Outcome] = {
    "passed": "passed",
    "failed": "failed",
    "error": "error",
    "skipped": "skipped",
    "xfailed": "xfailed",
    "xpassed": "xpassed",
}
_CONTEXT: tuple[str, ...] = (
    "session_id",
    "space",
    "environment",
    "test_run_id",
    "shard",
    "branch",
    "commit",
    "tree_hash",
)
_CONTEXT += ("pull_request", "directory", "pytest_args", "source")
_RUNNING_SAID = 20


def read_runtrail(stream: BinaryIO, recorder: Recorder) -> Iterator[CaseOutcome]:
    """Yield the outcomes of a session's report, the tries of a test together.

    Raises:
        UnreadableReport: also for a version that is not known and a file without its `end` line.
    """
    facts = recorder.facts
    waiting: dict[str, list[dict[str, Any]]] = {}
    begun = ended = False
    for number, line in json_lines(stream, recorder.limits):
        kind = line.get("type")
        if not begun:
            begun = True
            _begin(line, recorder)
        elif ended:
            raise UnreadableReport(f"Line {number} follows after the end of the session.")
        elif kind == "test":
            yield from _test(line, waiting, recorder, number)
        elif kind == "problem":
            recorder.say(f"{line.get('kind', 'problem')}: {str(line.get('text', ''))[:500]}")
        elif kind == "end":
            ended = True
            _end(line, recorder)
    if not ended:
        raise UnreadableReport("The report has no end line: it was cut off on its way. Send it again.")
    for rows in waiting.values():
        recorder.say(f"{str(rows[0].get('nodeid'))[:300]} was to be run again and was not.")
        yield from _rows(rows, recorder)
    if facts.is_cut_off:
        recorder.say("The session was killed; the report has what it wrote until then.")


def _begin(line: dict[str, Any], recorder: Recorder) -> None:
    if line.get("type") != "session" or line.get("format") != "runtrail-report":
        raise UnreadableReport("The first line is not that of a session.")
    if line.get("version") != _VERSION:
        raise UnreadableReport(
            f"The report has version {str(line.get('version'))[:20]}, and only {_VERSION} is known here."
            " Update the server."
        )
    facts = recorder.facts
    facts.started_at = recorder.moment(line.get("started_at"))
    facts.context.update({key: str(line[key])[:1000] for key in _CONTEXT if line.get(key) not in (None, "")})
    ci = line.get("ci")
    for key, value in ci.items() if isinstance(ci, dict) else ():
        facts.context[f"ci_{str(key)[:40]}"] = str(value)[:1000]
    runner = line.get("runner")
    runner = runner if isinstance(runner, dict) else {}
    facts.producer = str(runner.get("name", "pytest"))[:60]
    recorder.describe(runner_version=runner.get("version"))
    recorder.describe(**{key: line.get(key) for key in ("platform", "python_version", "host")})


def _end(line: dict[str, Any], recorder: Recorder) -> None:
    facts = recorder.facts
    status = line.get("exit_code")
    facts.exit_code = status if isinstance(status, int) else None
    facts.is_cut_off = line.get("cut_off") is True
    totals = line.get("totals")
    recorder.declare(
        **{str(key)[:40]: value for key, value in totals.items()} if isinstance(totals, dict) else {}
    )
    if line.get("interrupted") is True:
        recorder.say(f"The session was ended early: {str(line.get('reason', 'interrupted'))[:300]}")
    running = line.get("running")
    for nodeid in running[:_RUNNING_SAID] if isinstance(running, list) else []:
        recorder.say(f"{str(nodeid)[:300]} began and did not end; it has no outcome.")


def _test(
    line: dict[str, Any], waiting: dict[str, list[dict[str, Any]]], recorder: Recorder, number: int
) -> Iterator[CaseOutcome]:
    nodeid = line.get("nodeid")
    if not isinstance(nodeid, str) or str(line.get("outcome")).lower() not in _OUTCOMES:
        raise UnreadableReport(f"Line {number} has no nodeid or no outcome that is known.")
    if line.get("final") is False:
        waiting.setdefault(nodeid, []).append(line)
        return
    recorder.facts.elements[_OUTCOMES[line["outcome"].lower()]] += 1
    yield from _rows([*waiting.pop(nodeid, []), line], recorder)


def _rows(lines: list[dict[str, Any]], recorder: Recorder) -> Iterator[CaseOutcome]:
    for number, line in enumerate(lines, 1):
        markers = line.get("markers")
        yield recorder.case(
            line["nodeid"],
            _OUTCOMES[line["outcome"].lower()],
            junit_key=junit_key(line["nodeid"]),
            attempt=number,
            is_final=number == len(lines),
            duration=recorder.seconds(line.get("duration")),
            call_duration=recorder.seconds(line.get("call")),
            message=_text(line.get("message")),
            details="\n\n".join(
                filter(None, [_text(line.get("traceback")), _subtests(line.get("subtests"))])
            ),
            stdout=_output(line.get("output"), is_error=False),
            stderr=_output(line.get("output"), is_error=True),
            file=_text(line.get("file")),
            line=line.get("line"),
            markers=markers if isinstance(markers, list) else (),
            started_at=parse_moment(line.get("started_at")),
        )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _output(sections: Any, *, is_error: bool) -> str:
    found = []
    for section in sections if isinstance(sections, list) else []:
        if isinstance(section, dict) and ("stderr" in _text(section.get("name"))) == is_error:
            found.append(_text(section.get("text")))
    return "\n".join(filter(str.strip, found))


def _subtests(value: Any) -> str:
    cases = value.get("cases") if isinstance(value, dict) else None
    lines = []
    for case in cases if isinstance(cases, list) else []:
        if isinstance(case, dict):
            name, outcome, message = (_text(case.get(key)) for key in ("name", "outcome", "message"))
            lines += [f"subtest {name} {outcome}: {message}", _text(case.get("traceback"))]
    return "\n".join(filter(None, lines))
