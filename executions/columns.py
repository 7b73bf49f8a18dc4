"""The rows of some outcomes as columns of numbers, and which of them decide."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from executions.models import Outcome
from executions.models.results import Flag
from executions.recent import singles
from executions.reports.base import WORST_FIRST, CaseOutcome

Numbers = NDArray[Any]
CODES = {outcome.word: int(outcome) for outcome in Outcome}
RANK = np.zeros(len(CODES), "i2")  # by outcome; the worst has the highest
for _rank, _word in enumerate(reversed(WORST_FIRST)):
    RANK[CODES[_word]] = _rank
SERIES = 100  # duplicates of a case in one report that keep a number of their own
TRIES = 100  # tries of a case in one attempt of a job


@dataclass(slots=True)
class Columns:
    """Rows of one report; durations in seconds, NaN where unknown."""

    case: Numbers
    attempt: Numbers
    ordinal: Numbers
    duration: Numbers
    outcome: Numbers
    flags: Numbers

    def __len__(self) -> int:
        return len(self.case)

    def only(self, rows: Numbers) -> Self:
        """Some of the rows, by their numbers or a mask."""
        return type(self)(*(getattr(self, one.name)[rows] for one in fields(self)))

    @property
    def is_final(self) -> Numbers:
        return (self.flags & Flag.FINAL) != 0


def columns_of(
    outcomes: Sequence[CaseOutcome], cases: Numbers, *, number: int, attempt: int, flags: int
) -> Columns:
    """Return the rows of the outcomes of the `number`-th report of a run, of the job's `attempt`."""
    count = len(outcomes)
    nan = float("nan")
    tries = np.fromiter((one.attempt for one in outcomes), "i4", count)
    earlier = np.fromiter((one.tries_before for one in outcomes), "i4", count)
    is_final = np.fromiter((one.is_final for one in outcomes), "?", count)
    is_twice = np.fromiter((one.is_duplicate for one in outcomes), "?", count)
    durations = (nan if one.duration is None else one.duration for one in outcomes)
    bits = flags + np.where(is_final, int(Flag.FINAL), 0)
    bits += np.where(is_final & ((tries > 1) | (earlier > 0)), int(Flag.RETRIED), 0)
    bits += np.where(is_twice, int(Flag.DUPLICATE), 0)
    return Columns(
        case=cases,
        attempt=((attempt - 1 + earlier) * TRIES + np.minimum(tries, TRIES - 1)).astype("i2"),
        ordinal=number * SERIES + _series(cases, is_final),
        duration=singles(np.fromiter(durations, "f8", count)),
        outcome=np.fromiter((CODES[one.outcome] for one in outcomes), "i2", count),
        flags=bits.astype("i2"),
    )


def _series(cases: Numbers, is_final: Numbers) -> Numbers:
    """How many final rows of its case came before each row."""
    if is_final.all() and len(np.unique(cases)) == len(cases):
        return np.zeros(len(cases), "i2")
    seen: defaultdict[int, int] = defaultdict(int)
    found = np.empty(len(cases), "i2")
    for place, (case, final) in enumerate(zip(cases.tolist(), is_final.tolist(), strict=True)):
        found[place] = min(seen[case], SERIES - 1)
        seen[case] += final
    return found


def weights(rows: Columns) -> tuple[Numbers, Numbers]:
    """What makes a row decide: a later attempt of its job, then the worse outcome."""
    return rows.attempt // TRIES, RANK[rows.outcome]


def best(rows: Columns) -> Numbers:
    """Return the places of the rows that decide about their cases, as far as these rows tell."""
    finals = np.flatnonzero(rows.is_final)
    mine = rows.only(finals)
    attempt, rank = weights(mine)
    order = np.lexsort((-mine.ordinal, rank, attempt, mine.case))
    sorted_cases = mine.case[order]
    is_last = np.append(sorted_cases[1:] != sorted_cases[:-1], True)[: len(order)]
    return np.sort(finals[order[is_last]])
