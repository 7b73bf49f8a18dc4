"""TAP, the Test Anything Protocol, versions 12 to 14."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from executions.reports.base import CaseOutcome, Outcome, UnreadableReport
from executions.reports.names import junit_key
from executions.reports.recorder import Recorder, first_line
from executions.reports.values import BoundedText

_POINT = re.compile(r"(not )?ok\b[ \t]*(\d{1,9})?[ \t]*(?:- )?(.*)", re.ASCII)
_INDENTED = re.compile(r"[ \t]+(not )?ok\b[ \t]+(\d|- )", re.ASCII)
_PLAN = re.compile(r"1\.\.(\d{1,9})", re.ASCII)
_DIRECTIVE = re.compile(r"(?<!\\)#\s*(SKIP|TODO|time=)\S*\s*(.*)", re.IGNORECASE)
_PYTEST = re.compile(r"(.+\.py)::(.+)")


@dataclass(slots=True)
class _Point:
    ok: bool
    number: int
    text: str
    notes: BoundedText


def read_tap(stream: BinaryIO, recorder: Recorder) -> Iterator[CaseOutcome]:
    """Yield the outcomes of a TAP stream; subtests, which are indented, are part of their test.

    Raises:
        UnreadableReport: no plan, or not as many tests as it says: the stream was cut off.
    """
    planned: int | None = None
    number = subtests = 0
    point: _Point | None = None
    for line in _lines(stream, recorder):
        found = _POINT.match(line)
        plan = _PLAN.match(line)
        if found:
            if point:
                yield _row(point, recorder)
            number += 1
            notes = BoundedText(recorder.limits.details)
            point = _Point(
                not found[1], int(found[2] or number), found[3].strip().removesuffix("{").strip(), notes
            )
        elif plan:
            planned = int(plan[1])
        elif line.startswith("Bail out!"):
            recorder.say(f"The run was ended early: {line[:300]}")
            planned = number
            recorder.facts.is_cut_off = True
        elif point and line.strip():
            subtests += bool(_INDENTED.match(line))
            point.notes.add(f"{line}\n")
    if point:
        yield _row(point, recorder)
    _check(planned, number)
    if planned != number:
        recorder.say(f"The report plans {planned} tests and has {number}; all of them are kept.")
    recorder.declare(tests=planned)
    if subtests:
        recorder.say(f"{subtests:,} subtests stand indented below other tests and are counted with those.")
    if not number:
        recorder.say("The report lists no test.")


def _check(planned: int | None, number: int) -> None:
    if planned is None:
        raise UnreadableReport("The report has no plan (1..n): it was cut off.")
    if planned > number:
        raise UnreadableReport(f"The report plans {planned} tests and has {number}: it was cut off.")


def _lines(stream: BinaryIO, recorder: Recorder) -> Iterator[str]:
    longest = recorder.limits.value_bytes
    number = 0
    while line := stream.readline(longest + 1):
        number += 1
        if len(line) > longest:
            raise UnreadableReport(f"Line {number} is longer than {longest:,} bytes.")
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise UnreadableReport(f"Line {number} is not UTF-8: {error.reason}.") from error


def _row(point: _Point, recorder: Recorder) -> CaseOutcome:
    directive = _DIRECTIVE.search(point.text)
    word = directive[1].upper() if directive else ""
    name = (point.text[: directive.start()] if directive else point.text).strip().replace("\\#", "#")
    outcome: Outcome = "passed" if point.ok else "failed"
    if word == "SKIP":
        outcome = "skipped"
    elif word == "TODO":
        outcome = "xpassed" if point.ok else "xfailed"
    recorder.facts.elements[outcome] += 1
    notes = point.notes.value()
    nodeid, is_placed = _name(name, point.number)
    return recorder.case(
        nodeid,
        outcome,
        junit_key=junit_key(nodeid) if "::" in nodeid else "",
        is_placed=is_placed,
        message=directive[2]
        if directive and word in {"SKIP", "TODO"}
        else first_line(notes.replace("#", "")),
        details=notes if outcome == "failed" else "",
        duration=_milliseconds(directive, recorder),
    )


def _milliseconds(directive: re.Match[str] | None, recorder: Recorder) -> float | None:
    """Return the time that node's runner writes as `# time=12ms`."""
    text = directive[0].partition("time=")[2].removesuffix("ms") if directive else ""
    found = recorder.seconds(text) if text else None
    return found / 1000 if found is not None else None


def _name(name: str, number: int) -> tuple[str, bool]:
    """Return the name of a test; pytest-tap writes `path::Class.test` for `path::Class::test`."""
    if not name:
        return f"test {number}", False
    found = _PYTEST.fullmatch(name)
    if found:
        address, bracket, parameters = found[2].partition("[")
        return f"{found[1]}::{address.replace('.', '::')}{bracket}{parameters}", True
    return name, True
