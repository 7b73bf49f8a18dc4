"""Every request of a run in a few bytes, and what they say by time and by request.

A sample is when the request was meant to be sent, how long the answer took, which request it was and how it
ended.  Columns are stored apart, times as differences, bytes of like weight together, so that zlib finds
what repeats: about 5 bytes a request.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MAGIC = b"RTL1"
NO_ANSWER = 0  # as a status; else the hundreds of HTTP: 2, 3, 4, 5
CHECK_FAILED = 9  # answered, and a check on the answer failed
MICROSECONDS = 1e6
LONGEST = 2**32 - 1  # microseconds, over an hour


@dataclass(frozen=True, slots=True)
class Samples:
    """n requests in any order, as columns of the same length.

    `sent` and `latency` are seconds (float64; `sent` from the run's start), kept to the microsecond;
    `request` is the index of the request (uint16), `status` 2, 3, 4 or 5 for the class of the answer's HTTP
    status, 0 for none, 9 where a check failed (uint8).
    """

    sent: np.ndarray
    latency: np.ndarray
    request: np.ndarray
    status: np.ndarray

    @classmethod
    def of(
        cls,
        sent: Sequence[float],
        latency: Sequence[float],
        requests: Sequence[int] | None = None,
        statuses: Sequence[int] | None = None,
    ) -> Samples:
        """Make columns of sequences; requests are all number 0 and answers all 2xx where not told.

        Raises:
            ValueError: lengths differ, a time is negative, not finite, or over an hour of latency.
        """
        n = len(sent)
        times, answers = np.asarray(sent, dtype=float), np.asarray(latency, dtype=float)
        indices = np.zeros(n, np.uint16) if requests is None else np.asarray(requests)
        classes = np.full(n, 2, np.uint8) if statuses is None else np.asarray(statuses)
        if {len(answers), len(indices), len(classes)} != {n}:
            raise ValueError("sent, latency, request and status must have the same length")
        for name, column, most in [("sent", times, 1e9), ("latency", answers, LONGEST / MICROSECONDS)]:
            if n and not (np.isfinite(column).all() and column.min() >= 0 and column.max() <= most):
                raise ValueError(f"{name} must lie between 0 and {most:.0f} seconds")
        lowest = min(indices.min(), classes.min()) if n else 0
        if lowest < 0 or (n and (indices.max() >= 2**16 or classes.max() >= 2**8)):
            raise ValueError("request lies between 0 and 65535, status between 0 and 255")
        return cls(times, answers, indices.astype(np.uint16), classes.astype(np.uint8))

    def __len__(self) -> int:
        return len(self.sent)

    @property
    def failed(self) -> np.ndarray:
        return (self.status != 2) & (self.status != 3)

    def chosen(self, mask: np.ndarray) -> Samples:
        return Samples(self.sent[mask], self.latency[mask], self.request[mask], self.status[mask])


def pack(samples: Samples) -> bytes:
    """Return the samples as bytes, ordered by the time at which they were sent."""
    order = np.argsort(samples.sent, kind="stable")
    sent = np.rint(samples.sent[order] * MICROSECONDS).astype(np.int64)
    latency = np.rint(samples.latency[order] * MICROSECONDS).astype(np.uint32)
    columns = [
        _planes(np.diff(sent, prepend=0).astype("<u8")),
        _planes(latency.astype("<u4")),
        _planes(samples.request[order].astype("<u2")),
        samples.status[order].tobytes(),
    ]
    return MAGIC + struct.pack("<Q", len(samples)) + zlib.compress(b"".join(columns), 6)


def unpack(data: bytes) -> Samples:
    """Return the samples of bytes that `pack` made.

    Raises:
        ValueError: they are cut off, damaged, or something else.
    """
    if data[:4] != MAGIC or len(data) < 12:
        raise ValueError("these bytes are no samples: they do not begin as samples do")
    (n,) = struct.unpack("<Q", data[4:12])
    if 15 * n > 1032 * len(data):  # more than zlib can have packed into so few bytes
        raise ValueError(f"the samples are cut off: {len(data)} bytes are too few for {n} of them")
    unpacker = zlib.decompressobj()
    try:
        raw = unpacker.decompress(data[12:], 15 * n + 1)  # one more than there should be, never a bomb
    except zlib.error as error:
        raise ValueError(f"the samples are damaged: {error}") from error
    if len(raw) != 15 * n or not (unpacker.eof or n == 0):
        raise ValueError(f"the samples are cut off: {len(raw)} bytes where {15 * n} belong")
    parts = np.split(np.frombuffer(raw, np.uint8), [8 * n, 12 * n, 14 * n])
    sent = np.cumsum(_joined(parts[0], n, "<u8").astype(np.int64))
    return Samples(
        sent / MICROSECONDS,
        _joined(parts[1], n, "<u4") / MICROSECONDS,
        _joined(parts[2], n, "<u2").astype(np.uint16),
        parts[3].copy(),
    )


def _planes(column: np.ndarray) -> bytes:
    return column.view(np.uint8).reshape(len(column), column.itemsize).T.tobytes()


def _joined(plane: np.ndarray, n: int, kind: str) -> np.ndarray:
    return np.ascontiguousarray(plane.reshape(np.dtype(kind).itemsize, n).T).view(kind).reshape(n)
