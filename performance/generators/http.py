"""A lean HTTP/1.1 client for one host: keep-alive, Content-Length, chunked, until close; no redirects.

An answer of 3xx is an answer: the load never goes where the target sends it.
"""

from __future__ import annotations

import asyncio
import re
from functools import lru_cache
from time import perf_counter
from typing import Any, NamedTuple

HEAD, LENGTH, CHUNKED, UNTIL_CLOSE = range(4)  # what comes next
LONGEST_HEAD = 65_536  # bytes
_HEXADECIMAL = re.compile(rb"[0-9A-Fa-f]{1,15}")  # `int` would take signs and underscores as well
_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})


class Call:
    """One request on its way."""

    __slots__ = ("body", "data", "intended", "kind", "method", "sent", "size", "tries", "user")

    def __init__(self, intended: float, kind: int, method: str, data: bytes, user: Any = None) -> None:
        self.intended, self.kind, self.method, self.data, self.user = intended, kind, method, data, user
        self.sent = 0.0
        self.size, self.tries = 0, 0
        self.body: list[bytes] | None = None

    @property
    def can_be_repeated(self) -> bool:
        return self.method in _SAFE and self.tries == 0


class Connection(asyncio.Protocol):
    """One connection; tells its pool of each answer: `pool.answered(connection, call, status, timing)`."""

    def __init__(self, pool: Any) -> None:
        self.pool = pool
        self.transport: Any = None
        self.call: Call | None = None
        self.state, self.need, self.buffer = HEAD, 0, b""
        self.status, self.timing = 0, b""
        self.is_reused, self.closes, self.heard = False, False, False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def send(self, call: Call) -> None:
        self.call, self.heard = call, False
        call.sent = perf_counter()
        self.transport.write(call.data)

    def close(self) -> None:
        if self.transport is not None:
            self.transport.abort()

    def connection_lost(self, problem: Exception | None) -> None:
        if self.call is not None and self.state == UNTIL_CLOSE and problem is None:
            self._done()
        self.call, call = None, self.call
        self.pool.lost(self, call)

    def data_received(self, data: bytes) -> None:
        call = self.call
        if call is None:  # nobody asked
            self.close()
            return
        self.heard = True
        if self.state == HEAD:
            if self.buffer or not self._whole(call, data):
                self._head(self.buffer + data if self.buffer else data)
        elif self.state == LENGTH:
            self._length(data)
        elif self.state == CHUNKED:
            self._chunked(data)
        else:
            self._take(data)

    def _whole(self, call: Call, data: bytes) -> bool:
        """Take an answer that came in one piece, as most do, by the shortest way; False for any other."""
        end = data.find(b"\r\n\r\n")
        head = read_head(data[: end + 2]) if end > 0 else None
        if head is None:
            return False
        status, kind, length, closes, timing = head
        if kind != LENGTH or length != len(data) - end - 4 or status < 200:
            return False
        call.size = length
        if call.body is not None:
            call.body.append(data[end + 4 :])
        self.closes, self.is_reused, self.call = closes, True, None
        self.pool.answered(self, call, status, timing)
        return True

    def _head(self, data: bytes) -> None:
        end = data.find(b"\r\n\r\n")
        if end < 0:
            self.buffer = data
            if len(data) > LONGEST_HEAD or not data.startswith(b"HTTP/1."[: len(data)]):
                self.close()
            return
        self.buffer = b""
        head = read_head(data[: end + 2])
        if head is None:
            self.close()
            return
        rest = data[end + 4 :]
        self.status = head.status
        if self.status < 200:
            if rest:
                self._head(rest)
            return
        self.timing, self.closes, self.state, self.need = head.timing, head.closes, head.kind, head.length
        if self.status in (204, 304) or (self.call is not None and self.call.method == "HEAD"):
            self.need, self.state = 0, LENGTH
        if self.state == LENGTH:
            self._length(rest)
        elif self.state == CHUNKED:
            self._chunked(rest)
        else:
            self.closes = True
            self._take(rest)

    def _length(self, data: bytes) -> None:
        if len(data) > self.need:  # more than was announced: whatever follows can't be trusted
            data, self.closes = data[: self.need], True
        self.need -= len(data)
        self._take(data)
        if self.need == 0:
            self._done()

    def _chunked(self, data: bytes) -> None:
        """`need` counts down a chunk with its line end; between chunks it is 0."""
        self.buffer += data
        while self.buffer:
            if self.need:
                piece, self.buffer = self.buffer[: self.need], self.buffer[self.need :]
                self._take(piece[: max(0, self.need - 2)])
                self.need -= len(piece)
                continue
            line, found, rest = self.buffer.partition(b"\r\n")
            if not found:
                return
            size = _hexadecimal(line)
            if size is None:
                self.close()
                return
            if size:
                self.need, self.buffer = size + 2, rest
            elif rest.startswith(b"\r\n") or b"\r\n\r\n" in rest:
                self.buffer = b""
                self._done()
                return
            else:
                return

    def _take(self, data: bytes) -> None:
        call = self.call
        if call is not None and data:
            call.size += len(data)
            if call.body is not None:
                call.body.append(data)

    def _done(self) -> None:
        call, self.call = self.call, None
        self.state, self.need, self.is_reused = HEAD, 0, True
        self.pool.answered(self, call, self.status, self.timing)


class Head(NamedTuple):
    """What the head of an answer says: where its end is, and whether the connection may be used again."""

    status: int
    kind: int
    length: int
    closes: bool
    timing: bytes


@lru_cache(maxsize=256)
def read_head(text: bytes) -> Head | None:
    """Read a status line and headers; None for what is none.

    Servers send the same head again and again, new once a second by its date.
    """
    lowered = text.lower()
    if not lowered.startswith(b"http/1.") or not lowered[9:12].isdigit():
        return None
    status = int(lowered[9:12])
    if status == 101:
        return None
    timing = _header(text, lowered, b"\r\nserver-timing:")
    said = _header(lowered, lowered, b"\r\nconnection:")
    closes = said == b"close" if lowered[7:8] == b"1" else said != b"keep-alive"
    if b"chunked" in _header(lowered, lowered, b"\r\ntransfer-encoding:"):
        return Head(status, CHUNKED, 0, closes, timing)
    length = _header(lowered, lowered, b"\r\ncontent-length:")
    if not length:
        return Head(status, UNTIL_CLOSE, 0, closes, timing)
    return Head(status, LENGTH, int(length), closes, timing) if length.isdigit() else None


def _header(text: bytes, lowered: bytes, name: bytes) -> bytes:
    """The values of a header, joined where it comes more than once; `name` begins with the line end."""
    begin = lowered.find(name)
    if begin < 0:
        return b""
    values = []
    while begin >= 0:
        end = lowered.find(b"\r\n", begin + len(name))
        values.append(text[begin + len(name) : end].strip())
        begin = lowered.find(name, end)
    return b",".join(values)


def _hexadecimal(line: bytes) -> int | None:
    digits = line.partition(b";")[0].strip()
    return int(digits, 16) if _HEXADECIMAL.fullmatch(digits) else None
