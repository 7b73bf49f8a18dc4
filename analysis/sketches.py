"""Percentiles that can be added up: DDSketches as bytes.

Percentiles of two days can't be averaged, so a rollup keeps a sketch of each and merges them when read.
Every quantile read from one is within 1 % of a true value of that rank.

Source: C. Masson, J. E. Rim, H. K. Lee, "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with
Relative-Error Guarantees", PVLDB 12 (2019) 2195-2205.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from ddsketch import DDSketch
from ddsketch.pb import ddsketch_pb2
from ddsketch.pb.proto import DDSketchProto

RELATIVE_ERROR = 0.01


def sketch(values: Iterable[float]) -> bytes:
    """Return the sketch of `values` (any unit, finite); empty bytes where there are none."""
    made = DDSketch(RELATIVE_ERROR)
    for value in values:
        made.add(value)
    return _packed(made)


def merge(sketches: Iterable[bytes]) -> bytes:
    """Return the sketch of all the values that `sketches` were made of."""
    made = DDSketch(RELATIVE_ERROR)
    for packed in sketches:
        if packed:
            made.merge(_unpacked(packed))
    return _packed(made)


def quantile_of(packed: bytes, q: float) -> float | None:
    """Return the `q`-quantile (0 to 1) to 1 %; None for an empty sketch."""
    if not packed:
        return None
    value = _unpacked(packed).get_quantile_value(q)
    return None if value is None else float(value)


def count_of(packed: bytes) -> int:
    """Return how many values the sketch was made of."""
    return round(_unpacked(packed).count) if packed else 0


def _packed(made: DDSketch) -> bytes:
    if not made.count:
        return b""
    # Its bins are mostly zeros: 2 kB become some 60 bytes.
    return zlib.compress(DDSketchProto.to_proto(made).SerializeToString())


def _unpacked(packed: bytes) -> DDSketch:
    # SQLite gives bytes, psycopg gives a memoryview.
    return DDSketchProto.from_proto(ddsketch_pb2.DDSketch.FromString(zlib.decompress(packed)))
