"""Percentiles that can be added up: DDSketches as bytes.

Percentiles of two days can't be averaged, so a rollup keeps a sketch of each and merges them when read.
Every quantile read from one is within 1 % of a true value of that rank.

Source: C. Masson, J. E. Rim, H. K. Lee, "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with
Relative-Error Guarantees", PVLDB 12 (2019) 2195-2205.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import numpy as np
from ddsketch import DDSketch
from ddsketch.ddsketch import BaseDDSketch
from ddsketch.pb import ddsketch_pb2
from ddsketch.pb.proto import DDSketchProto, KeyMappingProto
from ddsketch.store import DenseStore

RELATIVE_ERROR = 0.01


def sketch(values: Iterable[float]) -> bytes:
    """Return the sketch of `values` (any unit, finite); empty bytes where there are none."""
    made = DDSketch(RELATIVE_ERROR)
    for value in values:
        made.add(value)
    return _packed(made)


def sketch_of_column(values: np.ndarray) -> bytes:
    """Return the sketch of a column (n,) of values >= 0: as `sketch`, for many values at once.

    Values that fall into one bin are added together, by one of them.
    """
    made = DDSketch(RELATIVE_ERROR)
    above = values[values > 0]
    keys = np.ceil(np.log(above) / np.log((1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)))
    _, places, counts = np.unique(keys, return_index=True, return_counts=True)
    for value, count in zip(above[places].tolist(), counts.tolist(), strict=True):
        made.add(value, count)
    if zeros := len(values) - len(above):
        made.add(0.0, zeros)
    return _packed(made)


def merge(sketches: Iterable[bytes]) -> bytes:
    """Return the sketch of all the values that `sketches` were made of."""
    made = DDSketch(RELATIVE_ERROR)
    for packed in sketches:
        if packed:
            made.merge(_unpacked(packed))
    return _packed(made)


def quantiles_of(sketches: Iterable[bytes], *fractions: float) -> tuple[int, list[float | None]]:
    """Return how many values all `sketches` were made of, and their quantiles at `fractions` (0 to 1).

    The same as `merge`, `count_of` and `quantile_of`, without packing and unpacking in between.
    """
    made = DDSketch(RELATIVE_ERROR)
    for packed in sketches:
        if packed:
            made.merge(_unpacked(packed))
    found = [made.get_quantile_value(fraction) for fraction in fractions]
    return round(made.count), [None if value is None else float(value) for value in found]


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


def _unpacked(packed: bytes) -> BaseDDSketch:
    # SQLite gives bytes, psycopg gives a memoryview.
    stored = ddsketch_pb2.DDSketch.FromString(zlib.decompress(packed))
    return BaseDDSketch(
        mapping=KeyMappingProto.from_proto(stored.mapping),
        store=_store(stored.positiveValues),
        negative_store=_store(stored.negativeValues),
        zero_count=stored.zeroCount,
    )


def _store(bins: ddsketch_pb2.Store) -> DenseStore:
    """The library's own reader adds every empty bin too, which takes ten times as long."""
    store = DenseStore()
    for key, count in enumerate(bins.contiguousBinCounts, start=bins.contiguousBinIndexOffset):
        if count:
            store.add(key, count)
    return store
