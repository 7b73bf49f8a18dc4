"""JSON documents and lines of JSON, read piece by piece; nothing is kept but the piece at hand."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from executions.reports.base import Limits, UnreadableReport

CHUNK = 1 << 18
_SPACE = re.compile(r"[ \t\r\n]*")
_LONGEST_INTEGER = 30  # digits; more is no number that anybody meant
_SLACK = 16  # an error this close to the end may be one only because more is to come


def _integer(digits: str) -> int | None:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else None


_decoder = json.JSONDecoder(parse_int=_integer, parse_constant=lambda _: None, strict=False)


def json_lines(
    stream: BinaryIO, limits: Limits, *, other: Callable[[int, str], None] | None = None
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number and the object of every line that is not empty.

    Args:
        other: takes the lines that don't begin like an object, where the format has some.

    Raises:
        UnreadableReport: a line that is no JSON object, or longer than `limits.value_bytes`.
    """
    number = 0
    while line := stream.readline(limits.value_bytes + 1):
        number += 1
        if len(line) > limits.value_bytes:
            raise UnreadableReport(f"Line {number} is longer than {limits.value_bytes:,} bytes.")
        text = _text_of(line, number)
        if not text:
            continue
        if other and not text.startswith("{"):
            other(number, text)
            continue
        try:
            value = _decoder.decode(text)
        except (ValueError, RecursionError) as error:
            raise UnreadableReport(f"Line {number} is not JSON: {_reason(error)}.") from error
        if not isinstance(value, dict):
            raise UnreadableReport(f"Line {number} is not a JSON object.")
        yield number, value


def _text_of(line: bytes, number: int) -> str:
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
    except UnicodeDecodeError as error:
        raise UnreadableReport(f"Line {number} is not UTF-8: {error.reason}.") from error


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} (character {error.pos + 1})"
    return "it is nested too deep" if isinstance(error, RecursionError) else str(error)


def json_parts(
    stream: BinaryIO, enter: set[tuple[str, ...]], limits: Limits
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield (path, value) for every key of the document, which must be one object.

    Arrays come element by element, each under the path of the array; objects whose path is in `enter`
    come key by key, all others whole.

    Raises:
        UnreadableReport: not JSON, cut off, or one value larger than `limits.value_bytes`.
    """
    cursor = _Cursor(stream, limits)
    yield from _members(cursor, (), enter)
    if cursor.peek():
        raise cursor.error("something follows after the end of the document")


def _members(
    cursor: _Cursor, path: tuple[str, ...], enter: set[tuple[str, ...]]
) -> Iterator[tuple[tuple[str, ...], Any]]:
    cursor.expect("{")
    if cursor.take("}"):
        return
    while True:
        key = cursor.value()
        if not isinstance(key, str):
            raise cursor.error("a key is not a string")
        cursor.expect(":")
        here = (*path, key)
        sign = cursor.peek()
        if sign == "{" and here in enter:
            yield from _members(cursor, here, enter)
        elif sign == "[":
            yield from ((here, element) for element in _elements(cursor))
        else:
            yield here, cursor.value()
        if cursor.take("}"):
            return
        cursor.expect(",")


def _elements(cursor: _Cursor) -> Iterator[Any]:
    cursor.expect("[")
    if cursor.take("]"):
        return
    while True:
        yield cursor.value()
        if cursor.take("]"):
            return
        cursor.expect(",")


class _Cursor:
    """A place in a document of which a piece is in memory."""

    def __init__(self, stream: BinaryIO, limits: Limits) -> None:
        head = stream.read(CHUNK)
        encoding = json.detect_encoding(head)
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._stream = stream
        self._limits = limits
        self._text = ""
        self._at = 0
        self._before = 0
        self._ended = False
        self._add(head)

    def error(self, reason: str) -> UnreadableReport:
        return UnreadableReport(
            f"The JSON can't be read at character {self._before + self._at + 1:,}: {reason}."
            " Send the file as the test runner wrote it."
        )

    def peek(self) -> str:
        """Return the next character that is no space, an empty string at the end."""
        while True:
            match = _SPACE.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if self._ended:
                return ""
            self._more()

    def take(self, sign: str) -> bool:
        found = self.peek() == sign
        self._at += found
        return found

    def expect(self, sign: str) -> None:
        if not self.take(sign):
            raise self.error(f"{sign!r} is missing" if self.peek() else "it ends too early")

    def value(self) -> Any:
        self.peek()
        while True:
            try:
                found, end = _decoder.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if self._ended or self._is_sure(error):
                    raise self.error(
                        "it ends too early" if self._ended and not self._is_sure(error) else error.msg
                    ) from error
            except (ValueError, RecursionError) as error:
                raise self.error(_reason(error)) from error
            else:
                if end < len(self._text) or self._ended:
                    self._at = end
                    return found
            if len(self._text) - self._at > self._limits.value_bytes:
                raise self.error(f"one value is larger than {self._limits.value_bytes:,} bytes")
            self._more()

    def _is_sure(self, error: json.JSONDecodeError) -> bool:
        return error.pos < len(self._text) - _SLACK and not error.msg.startswith("Unterminated string")

    def _more(self) -> None:
        """Read as much again as is not used yet, so that a long value is tried a few times only."""
        self._before += self._at
        self._text, self._at = self._text[self._at :], 0
        self._add(self._stream.read(max(CHUNK, len(self._text))))

    def _add(self, data: bytes) -> None:
        self._ended = not data
        try:
            self._text += self._decoder.decode(data, not data)
        except UnicodeDecodeError as error:
            raise self.error(f"the text is not {error.encoding}: {error.reason}") from error
