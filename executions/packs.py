"""The deciding results of a run in a few packed rows, so that runs are compared without reading thousands.

A pack is written with its results, or not at all: where packs and the run's own counts differ in number,
the rows are asked instead.
"""

from __future__ import annotations

import numpy as np

from executions.columns import Columns
from executions.models import Result, ResultPack, ResultSet

Row = tuple[int, float | None]  # outcome, duration in seconds
_CASE, _OUTCOME, _DURATION = "<i4", "u1", "<f8"


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


def results_by_case(result_set: ResultSet) -> dict[int, Row]:
    """Return outcome and duration of each case of a run, by the try that decides."""
    packs = ResultPack.objects.filter(set=result_set).order_by("pk")
    listed = list(packs.values_list("cases", "outcomes", "durations"))
    if sum(len(bytes(outcomes)) for _, outcomes, _ in listed) != result_set.total:
        rows = Result.objects.of_set(result_set).deciding().order_by()
        return {case: (code, took) for case, code, took in rows.values_list("case_id", "outcome", "duration")}
    found: dict[int, Row] = {}
    for cases, outcomes, durations in listed:
        took = np.frombuffer(bytes(durations), _DURATION)
        known: list[float | None] = took.tolist()
        for place in np.flatnonzero(np.isnan(took)).tolist():
            known[place] = None
        codes = np.frombuffer(bytes(outcomes), _OUTCOME).tolist()
        found |= zip(np.frombuffer(bytes(cases), _CASE).tolist(), zip(codes, known, strict=True), strict=True)
    return found
