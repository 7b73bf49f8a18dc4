"""What pytest's own reports say of a failure: a text, a tuple, or a tree of entries."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from executions.reports.base import Outcome
from executions.reports.recorder import first_line

_SKIP_TEXT = 3  # (path, line, reason)


def texts_of(longrepr: Any) -> tuple[str, str]:
    """Return the message and the details of a `longrepr`, whatever shape it has."""
    if isinstance(longrepr, str):
        reason = _reason(longrepr)
        return (reason, "") if reason else (last_error(longrepr), longrepr)
    if isinstance(longrepr, list | tuple) and len(longrepr) == _SKIP_TEXT:
        return str(longrepr[2]).removeprefix("Skipped: "), ""
    if isinstance(longrepr, dict):
        crash = longrepr.get("reprcrash")
        message = str(crash.get("message", "")) if isinstance(crash, dict) else ""
        details = "\n\n".join(_trace(longrepr))
        return message or last_error(details), details
    return "", ""


def _reason(text: str) -> str:
    """Return the reason of a skip that was written as the text of a tuple."""
    if not text.startswith("('") or len(text) > 5_000:
        return ""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return ""
    return texts_of(value)[0] if isinstance(value, tuple) else ""


def last_error(text: str) -> str:
    """Return the last line that pytest marks as the error itself, else the first line."""
    marked = [line[1:].strip() for line in text.splitlines() if line.startswith("E  ")]
    return marked[-1] if len(marked) == 1 else (marked[0] if marked else first_line(text))


def _trace(longrepr: dict[str, Any]) -> Iterable[str]:
    chain = longrepr.get("chain")
    traces = [link[0] for link in chain if isinstance(link, list) and link] if isinstance(chain, list) else []
    for trace in traces or [longrepr.get("reprtraceback")]:
        entries = trace.get("reprentries") if isinstance(trace, dict) else None
        for entry in entries if isinstance(entries, list) else []:
            data = entry.get("data") if isinstance(entry, dict) else None
            if not isinstance(data, dict):
                continue
            lines = data.get("lines")
            place = data.get("reprfileloc")
            said = [str(line) for line in lines] if isinstance(lines, list) else []
            if isinstance(place, dict):
                said += ["", f"{place.get('path')}:{place.get('lineno')}: {place.get('message')}"]
            yield "\n".join(said)


def outcome_of(phases: dict[str, dict[str, Any]]) -> Outcome:
    """Return the outcome of a try from the outcomes of its phases, `setup`, `call` and `teardown`."""
    setup, call, teardown = (phases.get(name, {}) for name in ("setup", "call", "teardown"))
    if _failed(setup) or _failed(teardown):
        return "error"
    if _failed(call):
        return "failed"
    for phase in (setup, call):
        if phase.get("outcome") == "skipped":
            return "xfailed" if "wasxfail" in phase else "skipped"
    return "xpassed" if "wasxfail" in call else "passed"


def _failed(phase: dict[str, Any]) -> bool:
    return phase.get("outcome") in {"failed", "rerun", "error"}


def deciding(phases: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the phase that made the try what it is; the first that failed, else the one that was skipped."""
    ordered = [phases[name] for name in ("setup", "call", "teardown") if name in phases]
    for test in (_failed, lambda phase: phase.get("outcome") == "skipped"):
        for phase in ordered:
            if test(phase):
                return phase
    return phases.get("call") or (ordered[0] if ordered else {})


def one_based(line: Any) -> int | None:
    """Return a line counted from 1; pytest counts from 0."""
    return line + 1 if isinstance(line, int) and not isinstance(line, bool) else None


def times_of(phases: dict[str, dict[str, Any]]) -> tuple[float | None, float | None]:
    """Return the seconds of the whole try and of its call, None where the report has none.

    The sum is taken before it is judged: a test that freezes the clock has a set-up of years and a
    teardown of as many years less than nothing.
    """
    times = {name: phase.get("duration") for name, phase in phases.items()}
    known = {name: float(time) for name, time in times.items() if isinstance(time, int | float)}
    return (sum(known.values()) if known else None), known.get("call")
