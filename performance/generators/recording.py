"""Keep every sample: packed into a buffer, appended to a file a few times a second."""

from __future__ import annotations

import errno
import os
import struct
from io import RawIOBase
from pathlib import Path

import numpy as np

from performance.generators.base import no_room, write_json
from performance.samples import COMPONENT, SAMPLE

FLUSH_EVERY = 0.2  # seconds; what a kill -9 may cost
MOST_COMPONENTS = 200  # a target that makes up names must not fill the disk
OTHERS = "(others)"
_ROW, _PART = struct.Struct("<ddffHHIB"), struct.Struct("<IHf")
_pack, _ROW_SIZE, _MOST_BYTES = _ROW.pack_into, _ROW.size, 0xFFFFFFFF
_BUFFERED = 8192  # rows


class Recorder:
    """Writes samples.bin, components.bin and names.json in `folder`.

    Where they can't be written any more, `problem` says why and no more is written: what follows half a
    record would be read as nonsense.
    """

    def __init__(self, folder: Path, requests: list[str]) -> None:
        self.folder = folder
        self.numbers = {name: number for number, name in enumerate(requests)}
        self.components = dict[str, int]()
        self.rows = (folder / "samples.bin").open("ab", buffering=0)
        self.parts = (folder / "components.bin").open("ab", buffering=0)
        self.buffer, self.filled, self.written = bytearray(_ROW.size * _BUFFERED), 0, 0
        self.part_buffer = bytearray()
        self.recent: list[bytes] = []
        self.problem = ""
        self.write_names()

    def add(
        self,
        intended: float,
        sent: float,
        latency: float,
        service: float,
        kind: int,
        status: int,
        size: int,
        flags: int,
    ) -> None:
        """Keep one sample: seconds since the load's start, number of its request, status (0: none), bytes."""
        if self.filled == _BUFFERED:
            self.flush()
        place, size = self.filled * _ROW_SIZE, size if size < _MOST_BYTES else _MOST_BYTES
        _pack(self.buffer, place, intended, sent, latency, service, kind, status, size, flags)
        self.filled += 1

    def add_part(self, component: str, seconds: float) -> None:
        """Keep what a component took of the sample that is added next."""
        number = self.component_number(component)
        self.part_buffer += _PART.pack(self.written + self.filled, number, seconds)

    def add_many(self, rows: np.ndarray, parts: np.ndarray) -> None:
        """Keep samples that another process recorded; the parts' `sample` counts from the first row."""
        self.flush()
        parts["sample"] += self.written
        self._append(parts.tobytes(), rows.tobytes(), len(rows))

    def request_number(self, name: str) -> int:
        """The number of a request; a new name gets the next one."""
        number = self.numbers.get(name)
        if number is None:
            number = self.numbers[name] = len(self.numbers)
            self.write_names()
        return number

    def component_number(self, name: str) -> int:
        """The number of a component; those beyond the 200th are one."""
        number = self.components.get(name)
        if number is None:
            if len(self.components) >= MOST_COMPONENTS and name != OTHERS:
                return self.component_number(OTHERS)
            number = self.components[name] = len(self.components)
            self.write_names()
        return number

    def flush(self) -> None:
        """Append to the files what is buffered, the parts of a row before it."""
        piece = bytes(memoryview(self.buffer)[: self.filled * _ROW.size])
        self._append(bytes(self.part_buffer), piece, self.filled)
        self.part_buffer.clear()
        self.filled = 0

    def _append(self, parts: bytes, rows: bytes, count: int) -> None:
        if self.problem:
            return
        try:
            for file, piece in ((self.parts, parts), (self.rows, rows)):
                _write_whole(file, piece)
        except OSError as problem:
            self.problem = no_room(problem)
            return
        if count:
            self.recent.append(rows)
            self.written += count

    def take_recent(self) -> np.ndarray:
        """Return the rows since the last call: (n,) of `SAMPLE`."""
        self.flush()
        rows = np.frombuffer(b"".join(self.recent), SAMPLE)
        self.recent = []
        return rows

    def write_names(self) -> None:
        names = {"requests": list(self.numbers), "components": list(self.components)}
        try:
            write_json(self.folder / "names.json", names)
        except OSError as problem:
            self.problem = self.problem or no_room(problem)

    def close(self) -> None:
        self.flush()
        self.write_names()
        self.rows.close()
        self.parts.close()


def _write_whole(file: RawIOBase, piece: bytes) -> None:
    # What is left of a disk takes a part of it without a word.
    if piece and file.write(piece) != len(piece):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


assert _ROW.size == SAMPLE.itemsize  # noqa: S101 - the two ways to write a row are one format
assert _PART.size == COMPONENT.itemsize  # noqa: S101
