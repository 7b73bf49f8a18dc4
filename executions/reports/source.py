"""Streams with bounds: what is read is counted, and damage of an archive is told in words."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable
from typing import BinaryIO

from executions.reports.base import Limits, UnreadableReport

BUFFER = 1 << 16
RATIO_FROM = 32 << 20  # unpacked bytes; below it a bomb does no harm
_DAMAGE = (gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, EOFError)


class Source(io.RawIOBase):
    """Reads another stream up to `most` bytes in all.

    Args:
        stream: what is read.
        most: bytes, after which it refuses.
        packed: returns how many packed bytes were used so far, where the stream unpacks.
        ratio: unpacked bytes to packed bytes at most.
    """

    def __init__(
        self, stream: BinaryIO, most: int, packed: Callable[[], int] | None = None, ratio: int = 0
    ) -> None:
        self._stream = stream
        self._most = most
        self._packed = packed
        self._ratio = ratio
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        filled = 0
        try:
            while filled < len(view) and (data := self._stream.read(len(view) - filled)):
                view[filled : filled + len(data)] = data
                filled += len(data)
        except _DAMAGE as error:
            raise UnreadableReport(f"The archive is damaged or cut off: {error}.") from error
        self.count += filled
        if self.count > self._most:
            raise UnreadableReport(f"Unpacked it is larger than {self._most:,} bytes, which is the limit.")
        if self._packed and self.count > RATIO_FROM and self.count > self._ratio * max(self._packed(), 1):
            raise UnreadableReport(
                f"The archive unpacks to more than {self._ratio} times its size, which no report does."
            )
        return filled


def buffered(stream: BinaryIO, limits: Limits) -> io.BufferedReader:
    """Return `stream` with bounds; its `peek` gives the first `BUFFER` bytes, or all there are."""
    return io.BufferedReader(Source(stream, limits.unpacked_bytes), BUFFER)
