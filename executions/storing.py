"""Write the outcomes of one report into the rows of its run, and count them; the caller's transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F

from executions.bulk import insert_rows
from executions.counting import BAD, Decided, Tally, count
from executions.identify import identify
from executions.models import Outcome, Report, Result, ResultSet, ResultText
from executions.models.results import Flag
from executions.querysets import pieces
from executions.recent import single
from executions.reports.base import WORST_FIRST, CaseOutcome
from executions.same_code import Evidence, keep_evidence

_CODES = {outcome.word: int(outcome) for outcome in Outcome}
_RANK = {_CODES[word]: rank for rank, word in enumerate(reversed(WORST_FIRST))}  # the worst has the highest
_ROW = ("case_id", "set_id", "started_at", "attempt", "ordinal", "report", "duration", "outcome", "flags")
_TEXT = (
    *("case_id", "set_id", "started_at", "attempt", "ordinal"),
    *("message", "details", "stdout", "stderr", "file", "line"),
)
SERIES = 100  # duplicates of a case in one report that keep a number of their own
TRIES = 100  # tries of a case in one attempt of a job


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
    rows, texts, deciders = _rows(outcomes, cases, slot)
    known = (
        {} if slot.is_first and not any(row.is_duplicate for row in outcomes) else _known(result_set, cases)
    )
    decided = _decide(rows, deciders, known, result_set)
    insert_rows(Result, _ROW, rows)
    insert_rows(ResultText, _TEXT, texts)
    count(result_set, decided, tally)
    keep_evidence(result_set, [_evidence(one, rows, deciders) for one in decided], slot.flags)


Row = list[object]


def _rows(
    outcomes: Sequence[CaseOutcome], cases: Sequence[int], slot: Slot
) -> tuple[list[Row], list[Row], dict[int, list[int]]]:
    """The rows to insert, their texts, and for each case the places of its rows."""
    result_set = slot.result_set
    rows: list[Row] = []
    texts: list[Row] = []
    places: defaultdict[int, list[int]] = defaultdict(list)
    finals: defaultdict[int, int] = defaultdict(int)
    for case, outcome in zip(cases, outcomes, strict=True):
        code = _CODES[outcome.outcome]
        flags = slot.flags | (Flag.FINAL if outcome.is_final else 0)
        flags |= Flag.RETRIED if outcome.is_final and outcome.attempt > 1 else 0
        flags |= Flag.DUPLICATE if outcome.is_duplicate else 0
        ordinal = slot.number * SERIES + min(finals[case], SERIES - 1)
        attempt = (slot.attempt - 1) * TRIES + min(outcome.attempt, TRIES - 1)
        head: Row = [case, result_set.pk, result_set.started_at, attempt, ordinal]
        places[case].append(len(rows))
        rows.append([*head, slot.report.pk, single(outcome.duration), code, int(flags)])
        finals[case] += outcome.is_final
        if outcome.message or outcome.details or (code in BAD and (outcome.stdout or outcome.stderr)):
            texts.append(
                [
                    *(*head, outcome.message, outcome.details, outcome.stdout, outcome.stderr),
                    *(outcome.file, outcome.line),
                ]
            )
    return rows, texts, places


Known = dict[int, tuple[int, int, float | None, int]]  # case -> attempt, outcome, duration, ordinal


def _known(result_set: ResultSet, cases: Sequence[int]) -> Known:
    """What decides so far about these cases in this run."""
    found: Known = {}
    rows = Result.objects.of_set(result_set).deciding().order_by()
    for piece in pieces(set(cases)):
        columns = ("case_id", "attempt", "outcome", "duration", "ordinal")
        for case, attempt, outcome, duration, ordinal in rows.filter(case_id__in=piece).values_list(*columns):
            found[case] = (attempt, outcome, duration, ordinal)
    return found


def _decide(
    rows: list[Row], places: dict[int, list[int]], known: Known, result_set: ResultSet
) -> list[Decided]:
    """Mark the row of each case that counts: of the latest attempt of its job, the worst final one."""
    decided, beaten = [], []
    for case, where in places.items():
        finals = [rows[place] for place in where if int(rows[place][8]) & Flag.FINAL]  # type: ignore[call-overload]
        if not finals:
            continue
        best = max(finals, key=_weight)
        old = known.get(case)
        if old is not None and (old[0] // TRIES, _RANK[old[1]]) >= _weight(best)[:2]:
            continue
        if old is not None:
            beaten.append(case)
        best[8] = int(best[8]) | Flag.DECIDES  # type: ignore[call-overload]
        outcome, duration, flags = best[7], best[6], best[8]
        decided.append(
            Decided(case, outcome, duration, flags, (old[1], old[2]) if old else None)  # type: ignore[arg-type]
        )
    for piece in pieces(beaten):
        Result.objects.of_set(result_set).deciding().filter(case_id__in=piece).update(
            flags=F("flags").bitand(~int(Flag.DECIDES))
        )
    return decided


def _weight(row: Row) -> tuple[int, int, int]:
    attempt, outcome, ordinal = row[3], row[7], row[4]
    return attempt // TRIES, _RANK[outcome], -ordinal  # type: ignore[operator,index]


def _evidence(one: Decided, rows: list[Row], places: dict[int, list[int]]) -> Evidence:
    tries = [rows[place][7] for place in places[one.case]]
    return Evidence(
        case=one.case,
        failed=any(outcome in BAD for outcome in tries),
        passed=one.outcome in {_CODES["passed"], _CODES["xpassed"]},
        is_again=one.old is not None,
    )
