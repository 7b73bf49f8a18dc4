"""Makes the outcomes that a reader found safe to store, and keeps the facts of its report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from executions.reports.base import CaseOutcome, Limits, Outcome, ReportFacts
from executions.reports.values import bounded, clean, parse_line, parse_moment, parse_seconds, short_name

_MARKERS = 50
_LIMITS = {"message": "message", "details": "details", "stdout": "output", "stderr": "output"}
_EXAMPLES = 3  # of values that can't be understood


class Recorder:
    """What a reader writes into: one of it per report."""

    def __init__(self, facts: ReportFacts, limits: Limits) -> None:
        self.facts = facts
        self.limits = limits
        self._unknown: Counter[str] = Counter()

    def say(self, problem: str) -> None:
        self.facts.say(problem, self.limits)

    def seconds(self, value: object) -> float | None:
        """Return a duration; one that can't be understood is unknown and said."""
        found = parse_seconds(value)
        if found is None and value is not None and value != "":
            self._doubt("duration", "no number of seconds", value)
        return found

    def moment(self, value: object) -> datetime | None:
        """Return a moment in UTC; one that can't be understood is unknown and said."""
        found = parse_moment(value)
        if found is None and value is not None and value != "":
            self._doubt("time", "no moment", value)
        return found

    def _doubt(self, what: str, reason: str, value: object) -> None:
        self._unknown[what] += 1
        if self._unknown[what] <= _EXAMPLES:
            self.say(f"A {what} is unknown: {str(value)[:60]!r} is {reason}.")
        else:
            self.facts.problems_left_out += 1

    def declare(self, **counts: object) -> None:
        """Keep what the file itself states: tests, failures, errors, skipped, time."""
        for name, value in counts.items():
            found = parse_seconds(value)
            if found is not None:
                self.facts.declared[name] = found

    def describe(self, **metadata: object) -> None:
        """Keep platform, host and the like."""
        for name, value in metadata.items():
            if isinstance(value, str) and value.strip():
                self.facts.metadata[name] = bounded(value.strip(), 200)

    def case(
        self,
        nodeid: str,
        outcome: Outcome,
        *,
        suite: str = "",
        junit_key: str = "",
        duration: float | None = None,
        call_duration: float | None = None,
        attempt: int = 1,
        is_final: bool = True,
        is_placed: bool = True,
        file: str = "",
        line: object = None,
        markers: Iterable[Any] = (),
        started_at: datetime | None = None,
        **texts: str,
    ) -> CaseOutcome:
        """Return the outcome with names and texts (message, details, stdout, stderr) cleaned and cut."""
        limits = self.limits
        name = self._name(nodeid)
        if not name:
            name, is_placed = "(no name)", False
        return CaseOutcome(
            nodeid=name,
            outcome=outcome,
            suite=short_name(suite, limits.suite_bytes) if suite else "",
            junit_key=short_name(junit_key or nodeid, limits.name_bytes),
            duration=duration,
            call_duration=call_duration,
            attempt=attempt,
            is_final=is_final,
            is_placed=is_placed,
            file=clean(file)[:1000] if file else "",
            line=parse_line(line) if line is not None else None,
            markers=tuple(clean(str(mark))[:100] for mark in markers)[:_MARKERS] if markers else (),
            started_at=started_at,
            **(self._cut(texts) if texts else {}),
        )

    def _cut(self, texts: dict[str, str]) -> dict[str, Any]:
        limits = self.limits
        return {kind: bounded(text, getattr(limits, _LIMITS[kind])) for kind, text in texts.items() if text}

    def _name(self, nodeid: str) -> str:
        name = short_name(nodeid, self.limits.name_bytes)
        if len(name) != len(nodeid) and " … " in name:
            most = f"{self.limits.name_bytes:,}"
            self.say(f"A name is longer than {most} bytes; it was cut, with a hash of the whole.")
        return name if name.strip() else ""


def first_line(text: str) -> str:
    """Return the first line that says something."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")
