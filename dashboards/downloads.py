"""Tables as files: CSV and JSON, written while they are read."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from django.http import StreamingHttpResponse

LIMIT = 10_000  # rows of one download; what lies beyond is had by narrowing the filter
FORMATS = ("csv", "json")


class _Echo:
    """A file that gives back what is written, for csv.writer."""

    def write(self, text: str) -> str:
        return text


def download(
    rows: Iterable[dict[str, Any]], columns: list[str], *, form: str, name: str
) -> StreamingHttpResponse:
    """Return `rows` as a file called `name` in the format `form` (csv or json)."""
    lines = _csv(rows, columns) if form == "csv" else _json(rows)
    kind = "text/csv; charset=utf-8" if form == "csv" else "application/json"
    response = StreamingHttpResponse(lines, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return response


def _csv(rows: Iterable[dict[str, Any]], columns: list[str]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(columns)
    for row in rows:
        yield writer.writerow([_cell(row.get(column)) for column in columns])


def _json(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    yield "["
    for count, row in enumerate(rows):
        yield ("," if count else "") + "\n" + json.dumps({key: _value(value) for key, value in row.items()})
    yield "\n]\n"


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value


def _cell(value: Any) -> Any:
    """A spreadsheet runs text that begins like a formula, so such text gets an apostrophe."""
    value = _value(value)
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return "" if value is None else value
