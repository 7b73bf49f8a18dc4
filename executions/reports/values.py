"""Numbers, moments and texts as reports write them; what can't be understood is None, never a guess."""

from __future__ import annotations

import hashlib
import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)  # before it lies what programs write for "not set"
LONGEST = 1e9  # seconds, some thirty years; beyond it stands no duration but a mistake
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?", re.ASCII)
_GROUPED_BY_POINT = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+,\d*", re.ASCII)
_GROUPED_BY_OTHER = re.compile(
    r"([+-]?\d{1,3})([ \u00a0\u202f'\u2019])(\d{3}(?:\2\d{3})*)([.,]\d*)?", re.ASCII
)
_COMMA = re.compile(r"[+-]?\d*,\d+", re.ASCII)
_CLOCK = re.compile(r"(-?)((\d{1,5})\.)?(\d{1,3}):(\d{1,2}):(\d{1,2}(\.\d+)?)", re.ASCII)
_EPOCH = re.compile(r"\d{10}(\.\d+)?|\d{13}", re.ASCII)


def parse_seconds(value: object) -> float | None:
    """Return a length of time in seconds, 0 or more; None where `value` is none.

    `1,234.5`, `1.234,5`, `1 234,5` and `1'234.5` have a separator of thousands, `0,75` a decimal comma, and
    `1,234` is taken as thousands; `0,234` can't be.

    >>> parse_seconds("1,234.5"), parse_seconds("0,75"), parse_seconds("00:01:02.5"), parse_seconds("1_000")
    (1234.5, 0.75, 62.5, None)
    """
    if isinstance(value, str):
        found = _number(value.strip())
    elif isinstance(value, int | float) and not isinstance(value, bool):
        found = float(value) if abs(value) <= LONGEST else None
    else:
        return None
    if found is None or not math.isfinite(found) or not 0 <= found <= LONGEST:
        return None
    return found + 0.0  # never -0.0


def _number(text: str) -> float | None:
    if text.replace(".", "", 1).isdigit() and text.isascii():  # nearly all of them
        return float(text)
    if _NUMBER.fullmatch(text):
        return float(text)
    if _GROUPED.fullmatch(text):
        return float(text.replace(",", ""))
    if _COMMA.fullmatch(text):
        return float(text.replace(",", "."))
    if _GROUPED_BY_POINT.fullmatch(text):
        return float(text.replace(".", "").replace(",", "."))
    spaced = _GROUPED_BY_OTHER.fullmatch(text)
    if spaced:
        return float(f"{spaced[1]}{spaced[3].replace(spaced[2], '')}{(spaced[4] or '').replace(',', '.')}")
    clock = _CLOCK.fullmatch(text)
    if clock and not clock[1]:
        return int(clock[3] or 0) * 86400 + int(clock[4]) * 3600 + int(clock[5]) * 60 + float(clock[6])
    return None


def parse_moment(value: object) -> datetime | None:
    """Return a moment in UTC; text without a zone is taken as UTC.

    Known are ISO 8601, the date of a mail, and seconds or milliseconds since 1970.  The year 1 of Go, .NET
    and unittest-xml-reporting, and the beginning of 1970, stand for a time that nobody set.

    >>> parse_moment("2024-02-30T10:00:00"), parse_moment(1700000000000).isoformat()
    (None, '2023-11-14T22:13:20+00:00')
    """
    try:
        found = _any_moment(value)
    except (ValueError, OverflowError, OSError, TypeError, IndexError):
        return None
    return found if found is not None and found >= EARLIEST else None


def _any_moment(value: object) -> datetime | None:
    if isinstance(value, str):
        text = value.strip()
        if not _EPOCH.fullmatch(text):
            return _in_utc(_moment(text))
        value = float(text)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC)
    return None


def _moment(text: str) -> datetime:
    if text[:4].isdigit() and len(text) >= len("2024-02-30"):
        return datetime.fromisoformat(text)
    return parsedate_to_datetime(text)


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def parse_line(value: object) -> int | None:
    """Return a line's number, 0 or more and small enough for any database."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 31:
        return value
    return None


def clean(text: str) -> str:
    """Return `text` without what a database can't keep: NUL and lone surrogates are written out."""
    if "\0" in text:
        text = text.replace("\0", "\\x00")
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def short_name(text: str, longest: int) -> str:
    """Return `text`, or its beginning with a hash of the whole where it has more than `longest` bytes.

    >>> short_name("x" * 100, 40)
    'xxxxxxxxxxxxxxxxxxx … 09ecb6ebc8bcefc7'
    """
    if len(text) * 4 <= longest and text.isascii() and "\0" not in text:
        return text
    text = clean(text)
    data = text.encode()
    if len(data) <= longest:
        return text
    mark = f" … {hashlib.sha256(data).hexdigest()[:16]}"
    return data[: longest - len(mark.encode())].decode("utf-8", "ignore") + mark


def bounded(text: str, longest: int) -> str:
    """Return `text`, cut in the middle where it has more than `longest` characters, and saying so."""
    if len(text) <= longest:
        return clean(text) if text else text
    kept = BoundedText(longest)
    kept.add(text)
    return kept.value()


class BoundedText:
    """A text that arrives in pieces; of a long one the beginning and the end are kept."""

    __slots__ = ("_head", "_length", "_longest", "_tail")

    def __init__(self, longest: int) -> None:
        self._head: list[str] = []
        self._tail = ""
        self._length = 0
        self._longest = longest

    def add(self, piece: str) -> None:
        room = self._longest - self._length
        self._length += len(piece)
        if room >= len(piece):
            self._head.append(piece)
        else:
            if room > 0:
                self._head.append(piece[:room])
                piece = piece[room:]
            self._tail = (self._tail + piece)[-(self._longest // 4) :]

    def value(self) -> str:
        text = "".join(self._head)
        if self._length <= self._longest:
            return clean(text)
        end = (text + self._tail)[-(self._longest // 4) :]
        text = text[: self._longest - len(end)]
        return clean(f"{text}\n… {self._length - len(text) - len(end):,} characters left out …\n{end}")
