"""Latencies that a waiting generator could not measure, put back.

A generator that sends the next request only after the answer to the last one stops asking while the server
stands still: of a second's standstill it reports one slow request, where users who come every 10 ms would
have had a hundred.  An open-loop generator counts from the intended time and needs none of this; a closed one
is corrected here, the way HdrHistogram does with an expected interval.  It is an estimate: say so.
"""

from __future__ import annotations

import math

import numpy as np


def missed(latencies: np.ndarray, expected_intervals: np.ndarray) -> np.ndarray:
    """Return for each latency how many requests its sender should have sent meanwhile: (n,) of int.

    Args:
        latencies: (n,), measured.
        expected_intervals: (n,), > 0, in the same unit: from this request to the sender's next one.

    Raises:
        ValueError: an interval is not above zero, or a latency is negative or not finite.
    """
    if not (np.asarray(expected_intervals) > 0).all():
        raise ValueError("the expected intervals must be above zero")
    if not np.isfinite(latencies).all() or (latencies < 0).any():
        raise ValueError("latencies must be finite and not negative")
    # v - k·i >= i; the small share keeps a latency of exactly two intervals from losing its one to rounding.
    counts = np.floor(latencies / expected_intervals * (1 + 1e-12)) - 1
    return np.maximum(counts, 0).astype(np.int64)


def back_fill(latencies: np.ndarray, expected_intervals: np.ndarray, *, most: int = 2_000_000) -> np.ndarray:
    """Return the latencies with those that were never asked for, in no order.

    Each latency v above its interval i stands for the requests that should have been sent meanwhile: v - i,
    v - 2i, … down to i.  Other arguments and errors are those of `missed`, which tells how many there are.

    Args:
        most: where more would come out, only every second is returned (or third …): they are spread alike.
    """
    counts = missed(latencies, expected_intervals)
    ends = np.cumsum(counts)
    total = int(counts.sum())
    step = max(math.ceil((len(latencies) + total) / most), 1)
    places = np.arange(0, total, step)
    of = np.searchsorted(ends, places, side="right")
    rank = places - (ends - counts)[of] + 1
    return np.concatenate([latencies[::step], latencies[of] - rank * expected_intervals[of]])
