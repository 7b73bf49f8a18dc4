"""Two runs, test by test: newly failing, fixed, added, removed, slower, faster."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np

from executions.columns import Numbers
from executions.models import CaseStatistics, Outcome, ResultSet, TestCase
from executions.packs import Decided, decided_of
from executions.querysets import pieces
from executions.recent import known
from tracking.models import TestRun

WELL, BAD = [0, 5], [1, 2]
_WORDS = [outcome.word for outcome in Outcome]
_AT_ONCE = 10_000  # tests whose names are asked for together
RATIO, SECONDS, SAMPLES = 1.5, 0.1, 5  # all three have to be exceeded before a test is called slower


@dataclass(slots=True)
class Change:
    """One test of a comparison; durations in seconds."""

    case: int
    nodeid: str = ""
    suite: str = ""
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


def compare_results(base: TestRun, head: TestRun) -> ResultComparison:
    """Compare the deciding results of two runs of one project.

    A test is slower or faster only by ratio AND difference AND against the median of at least five
    earlier durations in the head's space: one sample says nothing on a shared machine.
    Nothing is said where the results of one are gone: its tests were neither added nor removed.
    """
    sides: list[Decided] = []
    for run in (base, head):
        result_set = ResultSet.objects.filter(run=run).first()
        decided = Decided.none() if result_set is None else decided_of(result_set)
        if result_set and result_set.total and not len(decided):
            return ResultComparison()  # they went with their month
        sides.append(decided)
    return compare_decided(sides[0], sides[1], head.space)


def compare_decided(before: Decided, after: Decided, space: str) -> ResultComparison:
    """Compare two results of each case, each case once in both; what is usual is that of `space`."""
    _, there, here = np.intersect1d(before.case, after.case, assume_unique=True, return_indices=True)
    base, head = before.only(there), after.only(here)
    failed_before, failed = np.isin(base.outcome, BAD), np.isin(head.outcome, BAD)
    fixed = failed_before & np.isin(head.outcome, WELL)
    ran_well = np.isin(base.outcome, WELL) & np.isin(head.outcome, WELL)
    usual = _usual(head.case[ran_well & _differs(base.duration, head.duration)].tolist(), space)
    slower, faster = _speed(base, head, usual)
    pairs = (base, head, usual)
    added = _without(after, here)
    chosen = {
        "newly_failing": _changes(*pairs, failed & ~failed_before),
        "fixed": _changes(*pairs, fixed),
        "still_failing": _changes(*pairs, failed & failed_before),
        "slower": _changes(*pairs, slower),
        "faster": _changes(*pairs, faster),
        "added": [_change(None, row, None) for row in _rows(added)],
        # They never passed, so that nothing broke them.
        "added_failing": [_change(None, row, None) for row in _rows(added.only(np.isin(added.outcome, BAD)))],
        "removed": [_change(row, None, None) for row in _rows(_without(before, there))],
    }
    return ResultComparison(compared=len(base), **_named(chosen))


def _without(decided: Decided, places: Numbers) -> Decided:
    left = np.ones(len(decided), bool)
    left[places] = False
    return decided.only(left)


def _speed(base: Decided, head: Decided, usual: dict[int, float]) -> tuple[Numbers, Numbers]:
    """Which rows are slower, and which faster, than both the base and what is usual."""
    known = np.array(sorted(usual), base.case.dtype)
    middle = np.full(len(head), np.nan)
    middle[np.searchsorted(head.case, known)] = [usual[case] for case in known.tolist()]
    slowest, fastest = np.maximum(base.duration, middle), np.minimum(base.duration, middle)
    took = head.duration
    return _exceeds(took, slowest), _exceeds(fastest, took)


def _exceeds(longer: Numbers, shorter: Numbers) -> Numbers:
    return (longer > shorter * RATIO) & (longer - shorter > SECONDS)  # never where one is unknown


def _differs(before: Numbers, after: Numbers) -> Numbers:
    return _exceeds(before, after) | _exceeds(after, before)


Row = tuple[int, int, float | None]  # case, outcome, duration in seconds


def _rows(decided: Decided) -> Iterator[Row]:
    for case, outcome, took in zip(*map(np.ndarray.tolist, decided.columns()), strict=True):
        yield case, outcome, None if math.isnan(took) else took


def _changes(base: Decided, head: Decided, usual: dict[int, float], chosen: Numbers) -> list[Change]:
    pairs = zip(_rows(base.only(chosen)), _rows(head.only(chosen)), strict=True)
    return [_change(before, after, usual.get(before[0])) for before, after in pairs]


def _change(before: Row | None, after: Row | None, usual: float | None) -> Change:
    return Change(
        case=next(row[0] for row in (before, after) if row),
        base=_WORDS[before[1]] if before else "",
        head=_WORDS[after[1]] if after else "",
        base_duration=before[2] if before else None,
        head_duration=after[2] if after else None,
        usual=usual,
    )


def _named(chosen: dict[str, list[Change]]) -> dict[str, list[Change]]:
    """Give the changes of each list their tests' names, and the lists the order of these."""
    names = _names({one.case for listed in chosen.values() for one in listed})
    found = {}
    for kind, listed in chosen.items():
        for one in listed:
            one.nodeid, one.suite = names[one.case]
        found[kind] = sorted(listed, key=lambda one: (one.nodeid, one.suite))
    return found


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
