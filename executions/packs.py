"""The deciding results of a run in a few packed rows, so that runs are compared without reading thousands.

A pack is written with its results, or not at all: where packs and the run's own counts differ in number,
the rows are asked instead.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np

from executions.columns import Columns, Numbers
from executions.models import Result, ResultPack, ResultSet

_CASE, _OUTCOME, _DURATION = "<i4", "u1", "<f8"


@dataclass(frozen=True, slots=True)
class Decided:
    """The result that decides about each case of a set, in columns; seconds, NaN where unknown."""

    case: Numbers
    outcome: Numbers
    duration: Numbers

    @classmethod
    def none(cls) -> Self:
        return cls(np.empty(0, _CASE), np.empty(0, _OUTCOME), np.empty(0, _DURATION))

    def __len__(self) -> int:
        return len(self.case)

    def columns(self) -> tuple[Numbers, Numbers, Numbers]:
        return self.case, self.outcome, self.duration

    def only(self, rows: Numbers) -> Self:
        """Some of the rows, by their numbers or a mask."""
        return type(self)(*(column[rows] for column in self.columns()))


def pack(result_set: ResultSet, decided: Columns, *, is_news: bool) -> None:
    """Keep what decides about some cases of a run; what changes an earlier result ends the run's packs."""
    if not is_news:
        ResultPack.objects.filter(set=result_set).delete()
    elif len(decided):
        ResultPack.objects.create(
            set=result_set,
            cases=decided.case.astype(_CASE).tobytes(),
            outcomes=decided.outcome.astype(_OUTCOME).tobytes(),
            durations=decided.duration.astype(_DURATION).tobytes(),
        )


def decided_of(result_set: ResultSet) -> Decided:
    """Return the result of each case of a set, by the try that decides."""
    packs = ResultPack.objects.filter(set=result_set).order_by("pk")
    listed = list(packs.values_list("cases", "outcomes", "durations"))
    if sum(len(bytes(outcomes)) for _, outcomes, _ in listed) == result_set.total:
        return newest_of(_read(*map(bytes, columns)) for columns in listed)
    rows = Result.objects.of_set(result_set).deciding().order_by()
    numbers = list(rows.values_list("case_id", "outcome", "duration"))
    table = np.array(numbers, "f8").reshape(-1, 3)  # None becomes NaN
    return newest_of([Decided(table[:, 0].astype(_CASE), table[:, 1].astype(_OUTCOME), table[:, 2])])


def newest_of(several: Iterable[Decided]) -> Decided:
    """Return each case once, as the first of `several` has it."""
    listed = list(several) or [Decided.none()]
    case, outcome, duration = map(np.concatenate, zip(*map(Decided.columns, listed), strict=True))
    case, places = np.unique(case, return_index=True)
    return Decided(case, outcome[places], duration[places])


def _read(cases: bytes, outcomes: bytes, durations: bytes) -> Decided:
    given = ((cases, _CASE), (outcomes, _OUTCOME), (durations, _DURATION))
    return Decided(*(np.frombuffer(column, kind) for column, kind in given))
