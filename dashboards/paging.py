"""Pages of a list that all cost the same: each begins after the last row seen, not after a count."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import DataError
from django.db.models import F, Q, QuerySet

NOT_OURS = "This page of the list can't be found; begin at its first page."


class BadCursor(ValueError):
    """The cursor was not made by us."""


@dataclass(frozen=True, slots=True)
class Order:
    """Columns with their directions; together they must be unique."""

    columns: tuple[tuple[str, bool], ...]  # (name, whether it descends)

    def reversed(self) -> Order:
        return Order(tuple((name, not descending) for name, descending in self.columns))


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and the cursors of the pages before and after; empty where there is none."""

    rows: list[Any]
    before: str
    after: str


def page_of(rows: QuerySet[Any], order: Order, cursor: str, size: int) -> Page:
    """Return up to `size` rows at `cursor` (empty: the first).

    Raises:
        BadCursor: it can't be read.
    """
    values, backwards = _read(cursor, len(order.columns)) if cursor else ([], False)
    walk = order.reversed() if backwards else order
    ordering = [F(name).desc() if descending else F(name).asc() for name, descending in walk.columns]
    try:
        beyond = rows.filter(_beyond(walk, values)) if values else rows
        found = list(beyond.order_by(*ordering)[: size + 1])
    except (ValueError, TypeError, OverflowError, DataError):
        if not values:
            raise
        raise BadCursor(NOT_OURS) from None  # values that no row can have
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    has_before, has_after = (more, True) if backwards else (bool(cursor), more)
    if not found:
        return Page([], "", "")
    return Page(
        found,
        _write(order, found[0], backwards=True) if has_before else "",
        _write(order, found[-1], backwards=False) if has_after else "",
    )


def _beyond(order: Order, values: Sequence[Any]) -> Q:
    """What lies behind the row with these `values`, in the order's direction."""
    condition = Q()
    same: dict[str, Any] = {}
    for (name, descending), value in zip(order.columns, values, strict=True):
        condition |= Q(**same, **{f"{name}__{'lt' if descending else 'gt'}": value})
        same[name] = value
    # Implied by the rest, but an OR alone would keep the database from using its index.
    name, descending = order.columns[0]
    return Q(**{f"{name}__{'lte' if descending else 'gte'}": values[0]}) & condition


def _write(order: Order, row: Any, *, backwards: bool) -> str:
    values = [getattr(row, name) for name, _ in order.columns]
    plain = [{"t": value.isoformat()} if isinstance(value, datetime) else value for value in values]
    text = json.dumps([backwards, plain], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read(cursor: str, columns: int) -> tuple[list[Any], bool]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        backwards, plain = json.loads(base64.urlsafe_b64decode(padded.encode("ascii")))
        values = [_moment(v["t"]) if isinstance(v, dict) else v for v in plain]
    except (ValueError, TypeError, KeyError, OverflowError, binascii.Error):
        raise BadCursor(NOT_OURS) from None
    right = len(values) == columns and all(isinstance(v, str | int | float | datetime) for v in values)
    if not right or not isinstance(backwards, bool):
        raise BadCursor(NOT_OURS)
    return values, backwards


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment.astimezone(UTC)
