"""Rows by the thousand: COPY on PostgreSQL, executemany elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, models

_AT_ONCE = 900  # what fits into one statement of SQLite


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
        adapted = [[_adapted(value) for value in row] for row in rows]
        cursor.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({places})', adapted)  # noqa: S608


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
        adapted = [[_adapted(value) for value in row] for row in rows]
        cursor.executemany(
            f'INSERT INTO "{table}" ({names}) VALUES ({places}) {on_conflict}',  # noqa: S608
            adapted,
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


def _adapted(value: Any) -> Any:
    """SQLite keeps moments as text, as Django's own fields write them."""
    return connection.ops.adapt_datetimefield_value(value) if hasattr(value, "tzinfo") else value
