"""Columns of numbers as a few bytes, as they lie in a database."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np


def pack(values: Sequence[float | None] | np.ndarray) -> bytes:
    """Return a column (n,) of finite numbers and gaps (None or NaN) as bytes."""
    column = np.asarray([np.nan if value is None else value for value in values], dtype="<f8")
    return zlib.compress(column.tobytes())


def unpack(packed: bytes | memoryview) -> np.ndarray:
    """Return the column (n,) that was packed, float64; gaps are NaN."""
    return np.frombuffer(zlib.decompress(packed), dtype="<f8")


def as_list(packed: bytes | memoryview) -> list[float | None]:
    """Return the column with None for its gaps, fit for JSON."""
    return [None if np.isnan(value) else float(value) for value in unpack(packed)]
