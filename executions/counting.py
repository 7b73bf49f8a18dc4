"""Count results of one run into the statistics of their cases, in the transaction that stores them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any

import numpy as np
from django.db.models import F, Max, Window
from django.db.models.functions import RowNumber

from executions.appending import append_newest
from executions.bulk import rows_of_any, upsert_rows
from executions.columns import Columns, Numbers
from executions.models import CaseArchive, CaseStatistics, Result, ResultSet
from executions.models.results import Flag
from executions.querysets import COUNTS, ResultQuerySet, pieces
from executions.recent import LENGTH, flips_of, letter_of, microseconds, standing_of, window_of
from executions.recent import Window as RecentRuns

BAD = {1, 2}
_AT_ONCE = 5000  # cases whose rows are read together
COUNTED = (
    *("case_id", "space", "project_id", *COUNTS, "timed", "duration_us", "last_run_at", "last_failure_at"),
    *("recent", "durations", "flips", "last_set", "changed_at", "standing", "same_code", "retries"),
)


Old = tuple[int, float | None]  # outcome and duration


@dataclass(slots=True)
class Decided:
    """How a case went in a run, and how it had gone by what was known before (`old`), if anything was."""

    case: int
    outcome: int
    duration: float | None
    flags: int
    old: Old | None = None


@dataclass(slots=True)
class Tally:
    """What a report added to the counts of its run."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    duration_us: int = 0

    def add(self, outcomes: Numbers, durations: Numbers, sign: int = 1) -> None:
        numbers = np.bincount(outcomes, minlength=len(COUNTS)).tolist()
        for name, number in zip(COUNTS, numbers, strict=True):
            self.counts[name] += sign * number
        self.duration_us += sign * int(microseconds(durations).sum())


COUNTS_BY_OUTCOME = dict(enumerate(COUNTS))


def microseconds_of(duration: float | None) -> int:
    return 0 if duration is None else round(duration * 1e6)


@dataclass(slots=True)
class Kept:
    """A row of CaseStatistics without the cost of a model; its fields are COUNTED, in that order."""

    case_id: int
    space: str
    project_id: int
    passed: int = 0
    failed: int = 0
    error: int = 0
    skipped: int = 0
    xfailed: int = 0
    xpassed: int = 0
    timed: int = 0
    duration_us: int = 0
    last_run_at: datetime | None = None
    last_failure_at: datetime | None = None
    recent: str = ""
    durations: bytes = b""
    flips: int = 0
    last_set: int = 0
    changed_at: datetime | None = None
    standing: int = 0
    same_code: int = 0
    retries: int = 0

    @property
    def bad(self) -> int:
        return self.failed + self.error

    @property
    def well(self) -> int:
        return self.passed + self.xpassed


def count(result_set: ResultSet, decided: Columns, old: dict[int, Old], tally: Tally) -> None:
    """Bring the statistics of the cases up to date.  Their result rows must be stored already.

    Args:
        old: what had decided about some of the cases in this run before.
    """
    tally.add(decided.outcome, decided.duration)
    if old:
        before = [np.nan if duration is None else duration for _, duration in old.values()]
        tally.add(np.array([outcome for outcome, _ in old.values()]), np.array(before), -1)
    if not result_set.is_counted:
        return
    again = np.isin(decided.case, list(old))
    done = np.zeros(len(decided), bool)
    done[~again] = append_newest(result_set, decided.only(~again))
    rest = decided.only(~done)
    for begin in range(0, len(rest), _AT_ONCE):
        some = rest.only(np.arange(begin, min(begin + _AT_ONCE, len(rest))))
        _count_each(result_set, list(_each(some, old)))


def _each(rows: Columns, old: dict[int, Old]) -> Iterator[Decided]:
    numbers = (rows.case, rows.outcome, rows.duration, rows.flags)
    for case, outcome, duration, flags in zip(*(one.tolist() for one in numbers), strict=True):
        yield Decided(case, outcome, None if duration != duration else duration, flags, old.get(case))


def _count_each(result_set: ResultSet, decided: Sequence[Decided]) -> None:
    """Count cases that are new, late, or changed what was counted of them."""
    space, at = result_set.space, result_set.started_at
    kept = rows_of_any(CaseStatistics, COUNTED, "case_id", [one.case for one in decided], space=space)
    known = {values[0]: Kept(*values) for values in kept}
    rows: list[Kept] = []
    late: list[Kept] = []
    for one in decided:
        row = known.get(one.case) or Kept(one.case, space, result_set.project_id)
        rows.append(row)
        is_newest = one.old is None and (
            row.last_run_at is None or (row.last_run_at, row.last_set) < (at, result_set.pk)
        )
        _add(row, one, at)
        if is_newest:
            _append(row, one, at, result_set.pk)
        else:
            late.append(row)
    if late:
        _read_again(late, space)
    for row in rows:
        row.standing = standing_of(row.bad, row.well, row.recent)
    upsert_rows(CaseStatistics, COUNTED, ("case_id", "space"), [_values(row) for row in rows])


def _add(row: Kept, one: Decided, at: datetime) -> None:
    if one.old is not None:
        _change(row, *one.old, -1)
    _change(row, one.outcome, one.duration, 1)
    row.last_run_at = max(row.last_run_at or at, at)
    if one.outcome in BAD:
        row.last_failure_at = max(row.last_failure_at or at, at)


def _change(row: Kept, outcome: int, duration: float | None, sign: int) -> None:
    name = COUNTS_BY_OUTCOME[outcome]
    setattr(row, name, getattr(row, name) + sign)
    if duration is not None:
        row.timed += sign
        row.duration_us += sign * microseconds_of(duration)


def _append(row: Kept, one: Decided, at: datetime, set_pk: int) -> None:
    letter, duration = letter_of(one.outcome, one.flags), _comparable(one.duration, one.flags)
    window = RecentRuns(row.recent, bytes(row.durations), row.changed_at)
    if len(row.recent) < LENGTH:  # nothing falls out of the window, so that flips need no counting anew
        row.flips += window.append_to_open(letter, duration, at)
        row.recent, row.durations, row.changed_at = window.recent, window.durations, window.changed_at
        row.last_set = set_pk
        return
    window.append(letter, duration, at)
    _take(row, window, set_pk)


def _take(row: Kept, window: RecentRuns, set_pk: int) -> None:
    row.recent, row.durations, row.changed_at = window.recent, window.durations, window.changed_at
    row.flips, row.last_set = flips_of(window.recent), set_pk


def _comparable(duration: float | None, flags: int) -> float | None:
    return None if flags & Flag.CALL_ONLY else duration


def _read_again(rows: Iterable[Kept], space: str) -> None:
    """What comes late, or changes what was counted, is put in its place by reading the last 64 rows."""
    by_case = {row.case_id: row for row in rows}
    runs = last_runs(by_case, space)
    for case, row in by_case.items():
        found = runs.get(case, [])
        _take(row, window_of(found_run[:3] for found_run in found), found[-1][3] if found else 0)
        if row.bad == 0:
            row.last_failure_at = None
    replaced = [row for row in by_case.values() if row.bad]
    failures = _last_failures([row.case_id for row in replaced], space)
    for row in replaced:
        row.last_failure_at = failures.get(row.case_id)


def last_runs(
    cases: Collection[int], space: str, most: int = LENGTH
) -> dict[int, list[tuple[str, float | None, datetime, int]]]:
    """Return the last deciding runs of each case: letter, seconds, start and set, oldest first."""
    found: defaultdict[int, list[tuple[str, float | None, datetime, int]]] = defaultdict(list)
    newest = Window(
        RowNumber(), partition_by=F("case_id"), order_by=(F("started_at").desc(), F("set_id").desc())
    )
    for piece in pieces(cases):
        rows = in_space(Result.objects.deciding(), space).filter(case_id__in=piece)
        ranked = rows.annotate(rank=newest).filter(rank__lte=most).order_by("case_id", "-rank")
        columns = ("case_id", "outcome", "duration", "flags", "started_at", "set_id")
        for case, outcome, duration, flags, at, set_pk in ranked.values_list(*columns):
            found[case].append((letter_of(outcome, flags), _comparable(duration, flags), at, set_pk))
    return found


def in_space(rows: ResultQuerySet, space: str) -> ResultQuerySet:
    """Result rows of one space that count: bits of the row say it, so that no other table is asked."""
    return rows.annotate(place=F("flags").bitand(int(Flag.CI | Flag.LEFT_OUT))).filter(
        place=int(Flag.CI) if space == "ci" else 0
    )


def _last_failures(cases: Collection[int], space: str) -> dict[int, datetime]:
    found: dict[int, Any] = {}
    for piece in pieces(cases):
        rows = in_space(Result.objects.deciding(), space).filter(case_id__in=piece).failed().order_by()
        found |= dict(rows.values_list("case_id").annotate(Max("started_at")))
        archived = CaseArchive.objects.filter(case_id__in=piece, space=space, last_failure_at__isnull=False)
        for case, at in archived.values_list("case_id", "last_failure_at"):
            found[case] = max(at, found.get(case, at))  # type: ignore[type-var]
    return found


_values = attrgetter(*COUNTED)
