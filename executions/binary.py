"""PostgreSQL's binary forms, made by numpy: thousands of values without an object for each of them."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import numpy as np
from django.db import connection
from numpy.typing import NDArray

_HEAD, _END = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", b"\xff\xff"
_EPOCH = 946_684_800_000_000  # microseconds from 1970 to 2000, where PostgreSQL's time begins
_TEXT, _TEXTS = 25, 1009
_NUMBERS = {"i2": (21, 1005), "i4": (23, 1007), "i8": (20, 1016)}  # the type of an element, and of the array


class Array:
    """An array as the parameter of a statement."""

    oid: ClassVar[int] = 0
    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data


_ARRAYS = {oid: type(f"Array{oid}", (Array,), {"oid": oid}) for oid in (1005, 1007, 1016, _TEXTS)}


def numbers(values: Any, kind: str) -> Array:
    """Return numbers as an array of `kind` (i2, i4, i8)."""
    element, oid = _NUMBERS[kind]
    found = np.empty(len(values), [("length", ">i4"), ("value", f">{kind}")])
    found["length"] = int(kind[1:])
    found["value"] = values
    return _ARRAYS[oid](_array_head(element, len(values)) + found.tobytes())


def texts(values: Iterable[str]) -> Array:
    """Return texts as an array."""
    encoded = [value.encode() for value in values]
    length = struct.Struct("!i").pack
    parts = [part for value in encoded for part in (length(len(value)), value)]
    return _ARRAYS[_TEXTS](_array_head(_TEXT, len(encoded)) + b"".join(parts))


def _array_head(element: int, count: int) -> bytes:
    return struct.pack("!5i", 1, 0, element, count, 1)


def rows_of(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Return the rows of a statement, sent and answered in binary and planned for its very parameters."""
    with connection.wrap_database_errors, _cursor() as cursor:
        return list(cursor.execute(sql, parameters, prepare=False).fetchall())


def changed(sql: str, parameters: Sequence[Any]) -> int:
    """Run a statement like `rows_of`; return how many rows it changed."""
    with connection.wrap_database_errors, _cursor() as cursor:
        return int(cursor.execute(sql, parameters, prepare=False).rowcount)


def _cursor() -> Any:
    import psycopg  # not needed where SQLite is used
    from psycopg.adapt import Dumper

    if not _DUMPERS:

        def dump(self: Any, value: Any) -> bytes:
            data: bytes = value.data
            return data

        for oid, kind in _ARRAYS.items():
            binary = {"oid": oid, "format": psycopg.pq.Format.BINARY, "dump": dump}
            _DUMPERS.append((kind, type(f"Dumper{oid}", (Dumper,), binary)))
    connection.ensure_connection()
    cursor: Any = psycopg.Cursor(connection.connection)
    cursor.format = psycopg.pq.Format.BINARY
    for kind, dumper in _DUMPERS:
        cursor.adapters.register_dumper(kind, dumper)
    return cursor


_DUMPERS: list[tuple[type[Array], type[Any]]] = []


def copy_numbers(table: str, columns: Sequence[tuple[str, str]], values: dict[str, Any]) -> None:
    """Write rows of numbers by COPY; a NaN of the kind f4 becomes null, and `t8` is a moment in microseconds.

    Args:
        columns: name and kind (i2, i4, f4, t8) of each.
        values: an array for each of them, or one number for all rows.
    """
    nullable = next((name for name, kind in columns if kind == "f4"), "")
    length = max(np.size(value) for value in values.values())
    is_null = np.broadcast_to(np.isnan(values[nullable]), length) if nullable else np.zeros(length, bool)
    names = ", ".join(f'"{name}"' for name, _ in columns)
    sql = f'COPY "{table}" ({names}) FROM STDIN (FORMAT BINARY)'
    with connection.cursor() as cursor, cursor.copy(sql) as copy:
        copy.write(_HEAD)
        for wanted, without in ((~is_null, ""), (is_null, nullable)):
            if wanted.any():
                copy.write(_records(columns, values, wanted, without).tobytes())
        copy.write(_END)


def _records(
    columns: Sequence[tuple[str, str]], values: dict[str, Any], wanted: NDArray[np.bool_], without: str
) -> NDArray[Any]:
    layout: list[tuple[str, str]] = [("fields", ">i2")]
    for name, kind in columns:
        layout.append((f"length of {name}", ">i4"))
        if name != without:
            layout.append((name, f">{kind.replace('t', 'i')}"))
    found = np.empty(int(wanted.sum()), layout)
    found["fields"] = len(columns)
    for name, kind in columns:
        found[f"length of {name}"] = -1 if name == without else int(kind[1:])
        if name != without:
            value = values[name] - _EPOCH if kind == "t8" else values[name]
            found[name] = value[wanted] if np.ndim(value) else value
    return found
