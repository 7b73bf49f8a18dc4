"""Write the outcomes of one report into the rows of its run, and count them; the caller's transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from django.db.models import F

from executions.bulk import insert_results, insert_rows
from executions.columns import RANK, SERIES, TRIES, Columns, Numbers, best, columns_of, weights
from executions.counting import BAD, Old, Tally, count
from executions.identify import identify
from executions.models import Report, Result, ResultSet, ResultText
from executions.models.results import Flag
from executions.packs import pack
from executions.querysets import pieces
from executions.reports.base import CaseOutcome
from executions.same_code import Evidence, codes_failures, keep_evidence

__all__ = ["SERIES", "Slot", "store_chunk"]
_TEXT = (
    *("case_id", "set_id", "started_at", "attempt", "ordinal"),
    *("message", "details", "stdout", "stderr", "file", "line"),
)
_WELL = (0, 5)


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a report's rows go: its run, its number among the run's reports, the job's attempt."""

    result_set: ResultSet
    report: Report
    number: int
    attempt: int
    flags: int
    is_first: bool


def store_chunk(
    outcomes: Sequence[CaseOutcome], slot: Slot, *, is_derived: bool, now: datetime, tally: Tally
) -> None:
    """Store the rows of some outcomes and count the cases that they decide."""
    result_set = slot.result_set
    cases = identify(result_set.project_id, outcomes, is_derived=is_derived, now=now)
    rows = columns_of(outcomes, cases, number=slot.number, attempt=slot.attempt, flags=slot.flags)
    places, old = _decide(rows, slot, any(one.is_duplicate for one in outcomes))
    rows.flags[places] |= int(Flag.DECIDES)
    decided = rows.only(places)
    insert_results(rows, result_set, report=slot.report.pk)
    insert_rows(ResultText, _TEXT, _texts(outcomes, rows, result_set))
    count(result_set, decided, old, tally)
    pack(result_set, decided, is_news=not old)
    if not result_set.is_counted:
        return
    known = codes_failures(result_set)
    evidence = list(_evidence(rows, decided, old, known))
    keep_evidence(result_set, evidence, known, is_mass=bool(slot.flags & Flag.MASS))


def _texts(
    outcomes: Sequence[CaseOutcome], rows: Columns, result_set: ResultSet
) -> Iterator[tuple[Any, ...]]:
    """What the tries had to say; the output of a test that passed is left."""
    for place, one in enumerate(outcomes):
        is_bad = one.outcome in {"failed", "error"}
        if one.message or one.details or (is_bad and (one.stdout or one.stderr)):
            yield (
                *(int(rows.case[place]), result_set.pk, result_set.started_at),
                *(int(rows.attempt[place]), int(rows.ordinal[place])),
                *(one.message, one.details, one.stdout, one.stderr, one.file, one.line),
            )


def _decide(rows: Columns, slot: Slot, has_duplicates: bool) -> tuple[Numbers, dict[int, Old]]:
    """Return which rows count: of the latest attempt of its job, the worst final one; and whom they beat."""
    places = best(rows)
    if slot.is_first and not has_duplicates:
        return places, {}
    known = _known(slot.result_set, rows.case.tolist())
    if not known:
        return places, {}
    mine = rows.only(places)
    attempts, ranks = weights(mine)
    wins = np.ones(len(places), bool)
    old: dict[int, Old] = {}
    for place, case in enumerate(mine.case.tolist()):
        if case in known:
            attempt, rank, before = known[case]
            wins[place] = (attempt, rank) < (attempts[place], ranks[place])
            if wins[place]:
                old[case] = before
    for piece in pieces(old):
        Result.objects.of_set(slot.result_set).deciding().filter(case_id__in=piece).update(
            flags=F("flags").bitand(~int(Flag.DECIDES))
        )
    return places[wins], old


def _known(result_set: ResultSet, cases: Collection[int]) -> dict[int, tuple[int, int, Old]]:
    """What decides so far about these cases in this run, with its weight."""
    found: dict[int, tuple[int, int, Old]] = {}
    deciding = Result.objects.of_set(result_set).deciding().order_by()
    for piece in pieces(set(cases)):
        columns = ("case_id", "attempt", "outcome", "duration")
        listed = deciding.filter(case_id__in=piece).values_list(*columns)
        for case, attempt, outcome, duration in listed:
            found[case] = (attempt // TRIES, int(RANK[outcome]), (outcome, duration))
    return found


def _evidence(
    rows: Columns, decided: Columns, old: dict[int, Old], known: Collection[int]
) -> Iterator[Evidence]:
    """The cases that failed here, or did so on the same code before; the others are no news."""
    failed = set(rows.case[np.isin(rows.outcome, list(BAD))].tolist())
    wanted = np.isin(decided.case, [*failed, *known, *old])
    some = decided.only(wanted)
    for case, outcome in zip(some.case.tolist(), some.outcome.tolist(), strict=True):
        yield Evidence(case, failed=case in failed, passed=outcome in _WELL, is_again=case in old)
    for case in failed.difference(some.case.tolist()):  # a failure that does not decide is one all the same
        yield Evidence(case, failed=True, passed=False, is_again=True)
