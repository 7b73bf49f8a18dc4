"""Latencies that a waiting generator could not measure, put back.

A generator that sends the next request only after the answer to the last one stops asking while the server
stands still: of a second's standstill it reports one slow request, where users who come every 10 ms would
have had a hundred.  An open-loop generator counts from the intended time and needs none of this; a closed one
is corrected here, the way HdrHistogram does with an expected interval.  It is an estimate: say so.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

MOST = 20_000_000


def back_fill(latencies: Sequence[float], expected_interval: float) -> np.ndarray:
    """Return the latencies with those that were never asked for, in no order.

    Each latency v above the interval i stands for the requests that should have been sent meanwhile: v - i,
    v - 2i, … down to i.

    Args:
        latencies: n measured ones, in the unit of `expected_interval`.
        expected_interval: time from one request to the next of the same sender, > 0.

    Raises:
        ValueError: the interval is not above zero, a latency is negative or not finite, or more than twenty
            million values would come out.
    """
    values = np.asarray(latencies, dtype=float)
    if not expected_interval > 0:
        raise ValueError(f"the expected interval must be above zero, not {expected_interval}")
    if not np.isfinite(values).all() or (values < 0).any():
        raise ValueError("latencies must be finite and not negative")
    # v - k·i >= i; the small share keeps a latency of exactly two intervals from losing its one to rounding.
    missed = np.maximum(np.floor(values / expected_interval * (1 + 1e-12)) - 1, 0).astype(np.int64)
    total = int(missed.sum())
    if total + len(values) > MOST:
        raise ValueError(
            f"{total + len(values)} values would come out: the expected interval {expected_interval} is too "
            "short for these latencies; give the one at which each sender was meant to send"
        )
    rank = np.arange(total) - np.repeat(np.cumsum(missed) - missed, missed) + 1
    return np.concatenate([values, np.repeat(values, missed) - rank * expected_interval])


def share_omitted(latencies: Sequence[float], expected_interval: float) -> float:
    """Return which share of the requests that should have been sent was not; 0 for an empty run."""
    whole = len(back_fill(latencies, expected_interval))
    return 1 - len(latencies) / whole if whole else 0.0
