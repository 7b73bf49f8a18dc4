"""What every reader of test reports gives, and how it says no."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

Outcome = Literal["passed", "failed", "skipped", "error", "xfailed", "xpassed"]
WORST_FIRST: tuple[Outcome, ...] = ("error", "failed", "xpassed", "passed", "xfailed", "skipped")
DurationKind = Literal["total", "call"]


class UnreadableReport(Exception):
    """The report is damaged, cut off, hostile or beyond a limit; the text says what, where and what to do.

    It may come after any number of outcomes, so nothing of a report holds before its end is reached.
    """


class UnknownFormat(UnreadableReport):
    """The content is no report of a known format."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of what is read; lengths of names in bytes of UTF-8, of texts in characters."""

    unpacked_bytes: int = 1 << 30
    packed_ratio: int = 500
    entries: int = 10_000
    depth: int = 200
    name_bytes: int = 1024
    suite_bytes: int = 512
    message: int = 2_000
    details: int = 20_000
    output: int = 20_000
    value_bytes: int = 64 << 20
    problems: int = 100


class CaseOutcome(NamedTuple):
    """One try of one test; a tuple, because reports have millions of them.

    The identity of a test is (`suite`, `nodeid`).  The tries of a test come directly one after another,
    numbered by `attempt`, and only the last is final: it decides.  A second final row of an identity is
    a duplicate (the same name reported twice), marked `is_duplicate`, and the worst outcome of all final
    rows decides (`WORST_FIRST`).

    Names are never empty, hold no NUL and no lone surrogate, and are at most `Limits.name_bytes` long;
    longer ones are cut and end with a hash of the whole, so that different names stay different.
    `duration` is set-up + call + teardown in seconds, finite and never negative; None when unknown.
    `tries_before` counts the tries of the whole target before this one, where a runner keeps each in a file
    of its own; a later one decides about an earlier one, whatever their outcomes.
    `is_placed` is False where the identity had to be guessed or made up.
    """

    nodeid: str
    outcome: Outcome
    suite: str = ""
    junit_key: str = ""
    duration: float | None = None
    call_duration: float | None = None
    attempt: int = 1
    is_final: bool = True
    is_duplicate: bool = False
    is_placed: bool = True
    tries_before: int = 0
    message: str = ""
    details: str = ""
    stdout: str = ""
    stderr: str = ""
    file: str = ""
    line: int | None = None
    markers: tuple[str, ...] = ()
    started_at: datetime | None = None

    @property
    def text_length(self) -> int:
        """Characters of all that it says."""
        return len(self.message) + len(self.details) + len(self.stdout) + len(self.stderr)


@dataclass(slots=True)
class ReportFacts:
    """What a report says of itself; complete when its outcomes have been read to the end.

    `elements` counts what the file lists, by outcome, the way its producer counts.  `cases` counts
    distinct tests by the outcome that decides (in a later file of an upload: what it adds to those before),
    `attempts` all tries, `retried` tests with more than one, `duplicates` final rows beyond the first of
    their test, `unplaced` tests without sure identity, and `seconds` sums the durations of final rows, so
    that a test named twice took both times.
    """

    format: str
    name: str = ""
    producer: str = ""
    declared: dict[str, float] = field(default_factory=dict)
    started_at: datetime | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    duration_kind: DurationKind = "total"
    elements: Counter[str] = field(default_factory=Counter)
    cases: Counter[str] = field(default_factory=Counter)
    attempts: int = 0
    retried: int = 0
    duplicates: int = 0
    seconds: float = 0.0
    unplaced: int = 0
    failures_outside_cases: int = 0
    exit_code: int | None = None
    is_cut_off: bool = False
    problems: list[str] = field(default_factory=list)
    problems_left_out: int = 0
    context: dict[str, str] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Distinct tests."""
        return sum(self.cases.values())

    def say(self, problem: str, limits: Limits) -> None:
        """Keep `problem` once, as long as there is room."""
        if problem in self.problems:
            return
        if len(self.problems) < limits.problems:
            self.problems.append(problem)
        else:
            self.problems_left_out += 1
