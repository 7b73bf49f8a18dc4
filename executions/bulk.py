"""Rows by the thousand: COPY on PostgreSQL, executemany elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, models

from executions.binary import copy_numbers
from executions.columns import Columns
from executions.models import Result, ResultSet

_AT_ONCE = 900  # what fits into one statement of SQLite
_SINCE = datetime(1970, 1, 1, tzinfo=UTC)
_RESULT = [
    *(("case_id", "i4"), ("set_id", "i4"), ("started_at", "t8"), ("attempt", "i2"), ("ordinal", "i2")),
    *(("report", "i4"), ("duration", "f4"), ("outcome", "i2"), ("flags", "i2")),
]


def insert_results(rows: Columns, result_set: ResultSet, *, report: int) -> None:
    """Insert result rows of one run."""
    own = {"case_id": rows.case, "attempt": rows.attempt, "ordinal": rows.ordinal}
    own |= {"duration": rows.duration, "outcome": rows.outcome, "flags": rows.flags}
    if connection.vendor == "postgresql":
        at = (result_set.started_at - _SINCE) // timedelta(microseconds=1)
        same = {"set_id": result_set.pk, "started_at": at, "report": report}
        copy_numbers(Result._meta.db_table, _RESULT, own | same)
        return
    durations = [None if seconds != seconds else seconds for seconds in rows.duration.tolist()]
    same = {"set_id": result_set.pk, "started_at": adapted(result_set.started_at), "report": report}
    listed = numbers_as_rows(*(rows.case, rows.attempt, rows.ordinal, durations, rows.outcome, rows.flags))
    names = ", ".join([*own, *same])
    values = ", ".join(["%s"] * len(own) + ["%s"] * len(same))
    fixed = tuple(same.values())
    with connection.cursor() as cursor:
        cursor.executemany(
            f'INSERT INTO "{Result._meta.db_table}" ({names}) VALUES ({values})',  # noqa: S608
            [(*row, *fixed) for row in listed],
        )


def numbers_as_rows(*columns: Any) -> Iterator[tuple[Any, ...]]:
    """Return columns as rows of plain Python numbers."""
    return zip(*(one.tolist() if hasattr(one, "tolist") else one for one in columns), strict=True)


def insert_rows(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows whose values stand in the order of `columns`; nothing is checked and no key comes back."""
    names = ", ".join(f'"{name}"' for name in columns)
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:
                for row in rows:
                    copy.write_row(row)
            return
        places = ", ".join(["%s"] * len(columns))
        listed = [[adapted(value) for value in row] for row in rows]
        cursor.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({places})', listed)  # noqa: S608


def upsert_rows(
    model: type[models.Model],
    columns: Sequence[str],
    key: Sequence[str],
    rows: Sequence[Sequence[Any]],
) -> None:
    """Insert rows, or overwrite the ones that have the same `key`."""
    if not rows:
        return
    names = ", ".join(f'"{name}"' for name in columns)
    news = ", ".join(f'"{name}" = excluded."{name}"' for name in columns if name not in key)
    on_conflict = f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {news}"
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                f'CREATE TEMP TABLE incoming ON COMMIT DROP AS SELECT {names} FROM "{table}" LIMIT 0'  # noqa: S608
            )
            with cursor.copy(f"COPY incoming ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            cursor.execute(
                f'INSERT INTO "{table}" ({names}) SELECT {names} FROM incoming {on_conflict}'  # noqa: S608
            )
            cursor.execute("DROP TABLE incoming")
            return
        places = ", ".join(["%s"] * len(columns))
        listed = [[adapted(value) for value in row] for row in rows]
        cursor.executemany(
            f'INSERT INTO "{table}" ({names}) VALUES ({places}) {on_conflict}',  # noqa: S608
            listed,
        )


def rows_of_any(
    model: type[models.Model], columns: Sequence[str], key: str, values: Iterable[Any], **equal: Any
) -> list[tuple[Any, ...]]:
    """Return rows whose `key` is one of thousands of values, without making an object of each."""
    wanted = list(values)
    if connection.vendor != "postgresql":
        found: list[tuple[Any, ...]] = []
        for begin in range(0, len(wanted), _AT_ONCE):
            piece = {f"{key}__in": wanted[begin : begin + _AT_ONCE], **equal}
            found += model._default_manager.filter(**piece).order_by().values_list(*columns)
        return found
    names = ", ".join(f'"{name}"' for name in columns)
    conditions = " AND ".join([f'"{key}" = ANY(%s)', *(f'"{name}" = %s' for name in equal)])
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT {names} FROM "{model._meta.db_table}" WHERE {conditions}',  # noqa: S608
            [wanted, *equal.values()],
        )
        return list(cursor.fetchall())


def adapted(value: Any) -> Any:
    """SQLite keeps moments as text, as Django's own fields write them."""
    return connection.ops.adapt_datetimefield_value(value) if hasattr(value, "tzinfo") else value
