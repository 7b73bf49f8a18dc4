"""Two runs, test by test: newly failing, fixed, added, removed, slower, faster."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from executions.models import CaseStatistics, Outcome, ResultSet, TestCase
from executions.packs import results_by_case
from executions.querysets import pieces
from executions.recent import known
from tracking.models import TestRun

WELL, BAD = {0, 5}, {1, 2}
_WORDS = [outcome.word for outcome in Outcome]
_AT_ONCE = 10_000  # tests whose names are asked for together
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
    suspects = [case for case in before.keys() & after.keys() if _differs(before[case], after[case])]
    usual = _usual(suspects, space)
    news = [case for case in before.keys() | after.keys() if _is_news(before.get(case), after.get(case))]
    names = _names({*news, *usual})
    for case in sorted(names, key=lambda case: names[case]):
        change = _change(case, names[case], before.get(case), after.get(case), usual.get(case))
        for name in _kinds(change, before.get(case), after.get(case)):
            getattr(found, name).append(change)
    return found


def rows_of(run: TestRun) -> dict[int, Row]:
    """Return outcome and duration of each case of a run, by the try that decides."""
    result_set = ResultSet.objects.filter(run=run).first()
    return {} if result_set is None else rows_of_set(result_set)


def rows_of_set(result_set: ResultSet) -> dict[int, Row]:
    """Return outcome and duration of each case of one set of results."""
    return results_by_case(result_set)


def _is_news(before: Row | None, after: Row | None) -> bool:
    """Whether a test stands in some list by its outcomes alone."""
    return before is None or after is None or after[0] in BAD or before[0] in BAD


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
    if abs(after[1] - before[1]) <= SECONDS:
        return False
    return max(before[1], after[1]) > RATIO * min(before[1], after[1])


def _usual(cases: list[int], space: str) -> dict[int, float]:
    """The median of the last durations, where there are enough of them."""
    found = {}
    for piece in pieces(cases, _AT_ONCE):
        rows = CaseStatistics.objects.filter(case_id__in=piece, space=space).order_by()
        for case, packed in rows.values_list("case_id", "durations"):
            durations = known(bytes(packed))[:-1]  # without the newest, which is most often the head's own
            if len(durations) >= SAMPLES:
                found[case] = median(durations)
    return found


def _names(cases: Any) -> dict[int, tuple[str, str]]:
    found: dict[int, tuple[str, str]] = {}
    for piece in pieces(cases, _AT_ONCE):
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
        base=_WORDS[before[0]] if before else "",
        head=_WORDS[after[0]] if after else "",
        base_duration=before[1] if before else None,
        head_duration=after[1] if after else None,
        usual=usual,
    )
