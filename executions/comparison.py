"""Two runs, test by test: newly failing, fixed, added, removed, slower, faster."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from executions.models import CaseStatistics, Outcome, Result, ResultSet, TestCase
from executions.querysets import pieces
from executions.recent import known
from tracking.models import TestRun

WELL, BAD = {0, 5}, {1, 2}
RATIO, SECONDS, SAMPLES = 1.5, 0.1, 5  # all three have to be exceeded before a test is called slower


@dataclass(frozen=True, slots=True)
class Change:
    """One test of a comparison; durations in seconds."""

    case: int
    nodeid: str
    suite: str
    base: str = ""
    head: str = ""
    base_duration: float | None = None
    head_duration: float | None = None
    usual: float | None = None

    @property
    def ratio(self) -> float | None:
        if not self.base_duration or self.head_duration is None:
            return None
        return self.head_duration / self.base_duration


@dataclass(slots=True)
class ResultComparison:
    """What changed from one run to another, by test; each list in the order of names."""

    newly_failing: list[Change] = field(default_factory=list)
    fixed: list[Change] = field(default_factory=list)
    added: list[Change] = field(default_factory=list)
    removed: list[Change] = field(default_factory=list)
    slower: list[Change] = field(default_factory=list)
    faster: list[Change] = field(default_factory=list)
    still_failing: list[Change] = field(default_factory=list)
    added_failing: list[Change] = field(default_factory=list)
    compared: int = 0


Row = tuple[int, float | None]  # outcome, duration


def compare_results(base: TestRun, head: TestRun) -> ResultComparison:
    """Compare the deciding results of two runs of one project.

    A test is slower or faster only by ratio AND difference AND against the median of at least five
    earlier durations in the head's space: one sample says nothing on a shared machine.
    """
    return compare_rows(rows_of(base), rows_of(head), head.space)


def compare_rows(before: dict[int, Row], after: dict[int, Row], space: str) -> ResultComparison:
    """Compare two results of each case; what is usual is that of `space`."""
    found = ResultComparison(compared=len(before.keys() & after.keys()))
    names = _names(before.keys() | after.keys())
    suspects = [case for case in before.keys() & after.keys() if _differs(before[case], after[case])]
    usual = _usual(suspects, space)
    for case in sorted(names, key=lambda case: names[case]):
        change = _change(case, names[case], before.get(case), after.get(case), usual.get(case))
        for name in _kinds(change, before.get(case), after.get(case)):
            getattr(found, name).append(change)
    return found


def rows_of(run: TestRun) -> dict[int, Row]:
    """Return outcome and duration of each case of a run, by the try that decides."""
    result_set = ResultSet.objects.filter(run=run).first()
    return rows_of_set(result_set) if result_set else {}


def rows_of_set(result_set: ResultSet) -> dict[int, Row]:
    """Return outcome and duration of each case of one set of results."""
    rows = Result.objects.of_set(result_set).deciding().order_by()
    return {
        case: (outcome, duration)
        for case, outcome, duration in rows.values_list("case_id", "outcome", "duration")
    }


def _kinds(change: Change, before: Row | None, after: Row | None) -> Iterator[str]:
    if before is None or after is None:
        yield "added" if before is None else "removed"
        if after is not None and after[0] in BAD:
            yield "added_failing"  # it never passed, so that nothing broke it
        return
    if after[0] in BAD:
        yield "still_failing" if before[0] in BAD else "newly_failing"
    elif before[0] in BAD and after[0] in WELL:
        yield "fixed"
    if before[0] in WELL and after[0] in WELL and change.usual is not None and _differs(before, after):
        yield from _speed(change)


def _speed(change: Change) -> Iterator[str]:
    head, base, usual = change.head_duration, change.base_duration, change.usual
    if head is None or base is None or usual is None:
        return
    slowest, fastest = max(base, usual), min(base, usual)
    if head > slowest * RATIO and head - slowest > SECONDS:
        yield "slower"
    elif head * RATIO < fastest and fastest - head > SECONDS:
        yield "faster"


def _differs(before: Row, after: Row) -> bool:
    if before[1] is None or after[1] is None:
        return False
    low, high = sorted((before[1], after[1]))
    return high - low > SECONDS and high > low * RATIO


def _usual(cases: list[int], space: str) -> dict[int, float]:
    """The median of the last durations, where there are enough of them."""
    found = {}
    for case, row in CaseStatistics.objects.of_cases(cases, space).items():
        durations = known(row.durations)[:-1]  # without the newest, which is most often the head's own
        if len(durations) >= SAMPLES:
            found[case] = median(durations)
    return found


def _names(cases: Any) -> dict[int, tuple[str, str]]:
    found: dict[int, tuple[str, str]] = {}
    for piece in pieces(cases):
        rows = TestCase.objects.filter(pk__in=piece).order_by()
        found |= {pk: (nodeid, suite) for pk, nodeid, suite in rows.values_list("pk", "nodeid", "suite")}
    return found


def _change(
    case: int, name: tuple[str, str], before: Row | None, after: Row | None, usual: float | None
) -> Change:
    return Change(
        case=case,
        nodeid=name[0],
        suite=name[1],
        base=Outcome(before[0]).word if before else "",
        head=Outcome(after[0]).word if after else "",
        base_duration=before[1] if before else None,
        head_duration=after[1] if after else None,
        usual=usual,
    )
