"""Count the newest run of thousands of cases by one statement, which reads and sends none of their rows."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import numpy as np
from django.db import connection

from executions import binary
from executions.bulk import adapted, numbers_as_rows, rows_of_any
from executions.columns import Columns, Numbers
from executions.models import CaseStatistics, ResultSet
from executions.models.results import Flag
from executions.querysets import COUNTS
from executions.recent import LENGTH, microseconds, packed

_POSTGRES = {
    # OFFSET 0, so that a letter is found once and not wherever it is used
    "incoming": (
        "unnest(%s, %s, %s, %s) WITH ORDINALITY AS given(case_id, outcome, timed, us, number) OFFSET 0"
    ),
    "seconds": "substr(%s::bytea, (4 * number - 3)::int, 4)",
    "blob": "bytea",
    "last": "right({}, 1)",
    "at": "%s::timestamptz",
    "by index": "",
}
_SQLITE = {
    "incoming": "incoming",
    "seconds": "seconds",
    "blob": "blob",
    "last": "substr({}, -1, 1)",
    "at": "%s",
    # Or SQLite reads all statistics and looks each of them up in what came.
    "by index": " AND s.case_id IN (SELECT case_id FROM incoming)",
}


def append_newest(result_set: ResultSet, rows: Columns) -> Numbers:
    """Add a run to the statistics of the cases for which it is the newest; return which ones these were.

    What is left are cases without statistics, and late runs: those have to be read.
    """
    if not len(rows):
        return np.zeros(0, bool)
    if connection.vendor == "postgresql":
        done = _on_postgres(result_set, rows)
    else:
        done = _on_sqlite(result_set, rows)
    if done in (0, len(rows)):
        return np.full(len(rows), bool(done))
    columns = ("case_id",)
    equal = {"space": result_set.space, "last_set": result_set.pk}
    touched = rows_of_any(CaseStatistics, columns, "case_id", rows.case.tolist(), **equal)
    return np.isin(rows.case, [case for (case,) in touched])


def _on_postgres(result_set: ResultSet, rows: Columns) -> int:
    kinds = ("i4", "i2", "i2", "i8")
    given = [binary.numbers(column, kind) for column, kind in zip(_given(rows), kinds, strict=True)]
    sql = _statement(_POSTGRES, _letters(rows))
    return binary.changed(sql, _parameters(result_set, [packed(_comparable(rows)), *given]))


def _on_sqlite(result_set: ResultSet, rows: Columns) -> int:
    data = packed(_comparable(rows))
    pieces = [data[begin : begin + 4] for begin in range(0, len(data), 4)]
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE IF NOT EXISTS incoming"
            " (case_id integer PRIMARY KEY, outcome integer, timed integer, us integer, seconds blob)"
        )
        cursor.execute("DELETE FROM incoming")
        listed = list(numbers_as_rows(*_given(rows), pieces))
        cursor.executemany("INSERT INTO incoming VALUES (%s, %s, %s, %s, %s)", listed)
        cursor.execute(_statement(_SQLITE, _letters(rows)), _parameters(result_set, []))
        return int(cursor.rowcount)


def _given(rows: Columns) -> tuple[Numbers, ...]:
    return rows.case, rows.outcome, ~np.isnan(rows.duration), microseconds(rows.duration)


def _letters(rows: Columns) -> str:
    """The letters of the outcomes; in a mass failure, of which all rows are then, failures are no news."""
    return "PMMSxp" if rows.flags[0] & Flag.MASS else "PFESxp"


def _comparable(rows: Columns) -> Numbers:
    return np.where(rows.flags & Flag.CALL_ONLY, math.nan, rows.duration)


def _parameters(result_set: ResultSet, given: list[Any]) -> list[Any]:
    at: datetime | str = result_set.started_at
    if connection.vendor != "postgresql":
        at = adapted(at)
    return [at, result_set.pk, at, at, *given, result_set.space, at, result_set.pk]


def _statement(words: dict[str, str], letters: str) -> str:
    at = words["at"]
    is_full = f"length(s.recent) >= {LENGTH}"
    kept = f"CASE WHEN {is_full} THEN substr(s.recent, 2) ELSE s.recent END"
    older = f"CASE WHEN {is_full} THEN substr(s.durations, 5) ELSE s.durations END"
    changed, flips = _changed(words["last"], kept), _flips(is_full)
    counts = "".join(
        f"{name} = s.{name} + CASE WHEN d.outcome = {code} THEN 1 ELSE 0 END, "
        for code, name in enumerate(COUNTS)
    )
    table = CaseStatistics._meta.db_table
    return (
        f"UPDATE {table} AS s SET {counts}"  # noqa: S608
        " timed = s.timed + d.timed, duration_us = s.duration_us + d.us,"
        f" last_run_at = {at}, last_set = %s,"
        f" last_failure_at = CASE WHEN d.outcome IN (1, 2) THEN {at} ELSE s.last_failure_at END,"
        f" changed_at = CASE WHEN {changed} THEN {at} WHEN {flips} = 0 THEN NULL ELSE s.changed_at END,"
        f" standing = {_standing(words['last'], kept)},"
        f" flips = {flips} + CASE WHEN {changed} THEN 1 ELSE 0 END, recent = {kept} || d.letter,"
        f" durations = CAST({older} || d.seconds AS {words['blob']})"
        f" FROM (SELECT case_id, outcome, timed, us, substr('{letters}', outcome + 1, 1) AS letter,"
        f" {words['seconds']} AS seconds FROM {words['incoming']}) AS d"
        # A CASE, because PostgreSQL takes a comparison of rows for one that finds nothing, and plans badly.
        f" WHERE s.case_id = d.case_id AND s.space = %s{words['by index']}"
        f" AND CASE WHEN (s.last_run_at, s.last_set) < ({at}, %s) THEN TRUE ELSE FALSE END"
    )


def _changed(last: str, kept: str) -> str:
    """Whether the run differs from the last one that judged the case; most are as the last one was."""
    before = last.format(f"rtrim({kept}, 'SxM')")
    differs = (
        f"d.letter IN ('P', 'p') AND {before} IN ('F', 'E')"
        f" OR d.letter IN ('F', 'E') AND {before} IN ('P', 'p')"
    )
    return f"CASE WHEN d.letter = {last.format('s.recent')} THEN FALSE ELSE {differs} END"


def _standing(last: str, kept: str) -> str:
    """See `executions.recent.standing_of`; a test that never failed still has not."""
    before = last.format(f"rtrim({kept}, 'SxM')")
    is_bad = f"d.letter IN ('F', 'E') OR d.letter NOT IN ('P', 'p') AND {before} IN ('F', 'E')"
    passed = "s.passed + s.xpassed > 0"
    return (
        "CASE WHEN s.standing = 0 AND d.outcome NOT IN (1, 2) THEN 0"
        f" WHEN {is_bad} THEN CASE WHEN {passed} THEN 2 ELSE 3 END"
        f" WHEN {passed} OR d.outcome IN (0, 5) THEN 1 ELSE 4 END"
    )


def _flips(is_full: str) -> str:
    """The flips that stay when the oldest of the last runs falls out."""
    oldest, second = "substr(s.recent, 1, 1)", "substr(ltrim(substr(s.recent, 2), 'SxM'), 1, 1)"
    falls_out = (
        f"{is_full} AND ({oldest} IN ('P', 'p') AND {second} IN ('F', 'E')"
        f" OR {oldest} IN ('F', 'E') AND {second} IN ('P', 'p'))"
    )
    return f"CASE WHEN s.flips = 0 THEN 0 WHEN {falls_out} THEN s.flips - 1 ELSE s.flips END"
