"""Latency over time and by request: percentiles of each stretch, and the requests that stand out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.latency import Samples

QUANTILES = (0.5, 0.9, 0.95, 0.99)
FENCE = 5.0  # spreads above the middle, on the logarithm: what no ordinary answer reaches
LEAST_SPREAD = 0.05
FEWEST = 20  # requests of a kind, to tell what is ordinary


@dataclass(frozen=True, slots=True)
class Windows:
    """k stretches of the same width from the run's start; rows without requests have n = 0 and NaN.

    `start` are seconds (k), `n` and `failed` counts (k), `quantiles` seconds (k by as many as asked for);
    `mean` seconds (k).  Throughput is n / width.
    """

    width: float
    start: np.ndarray
    n: np.ndarray
    failed: np.ndarray
    mean: np.ndarray
    quantiles: np.ndarray


def over_time(
    samples: Samples, *, width: float, length: float | None = None, quantiles: Sequence[float] = QUANTILES
) -> Windows:
    """Cut a run into windows by when its requests were meant to be sent.

    Args:
        width: seconds of a window, > 0.
        length: seconds of the run, so that an end without requests has its windows; by default to the last.

    Raises:
        ValueError: the width is not above zero, or cuts the run into more than a million windows.
    """
    last = float(samples.sent.max()) if len(samples) else 0.0
    if not width > 0 or max(length or 0, last) / width > 1e6:
        raise ValueError(f"a window of {width} seconds does not suit a run of {max(length or 0, last):.0f} s")
    place = (samples.sent / width).astype(np.int64)
    count = max(int(np.ceil((length or 0) / width)), int(place.max()) + 1 if len(samples) else 0)
    n = np.bincount(place, minlength=count)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(place, weights=samples.latency, minlength=count) / n
    ordered = samples.latency[np.lexsort((samples.latency, place))]
    return Windows(
        width=width,
        start=np.arange(count) * width,
        n=n,
        failed=np.bincount(place[samples.failed], minlength=count),
        mean=mean,
        quantiles=_of_groups(ordered, n, np.asarray(quantiles, dtype=float)),
    )


def _of_groups(ordered: np.ndarray, n: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Linear quantiles (type 7) of groups of n values that lie sorted one after the other."""
    found = np.full((len(n), len(quantiles)), np.nan)
    full = n > 0
    if not full.any():
        return found
    begin = (np.cumsum(n) - n)[full][:, None]
    reach = (n[full] - 1)[:, None] * quantiles
    low = np.floor(reach).astype(np.int64)
    high = np.minimum(low + 1, (n[full] - 1)[:, None])
    share = reach - low
    found[full] = ordered[begin + low] * (1 - share) + ordered[begin + high] * share
    return found


@dataclass(frozen=True, slots=True)
class Outliers:
    """Answers to one request far above its ordinary ones.

    `request` is its index, `typical` its median and `fence` what ordinary answers stay below (seconds);
    `count` of `n` lie above, `worst` is the slowest and `worst_at` when it was sent (seconds from the start),
    `share_of_time` their part in all the time spent waiting for this request.
    """

    request: int
    n: int
    count: int
    typical: float
    fence: float
    worst: float
    worst_at: float
    share_of_time: float


def outliers(samples: Samples) -> list[Outliers]:
    """Return the requests with answers that stand out, those that cost the most time first."""
    found = []
    for request in np.unique(samples.request):
        one = samples.chosen((samples.request == request) & (samples.latency > 0))
        if len(one) < FEWEST:
            continue
        logs = np.log(one.latency)
        middle = float(np.median(logs))
        upper = logs[logs >= middle] - middle  # waiting times are skewed: their upper half tells how far
        spread = max(1.4826 * float(np.median(upper)), LEAST_SPREAD)
        fence = float(np.exp(middle + FENCE * spread))
        above = one.latency > fence
        if above.any():
            worst = int(np.argmax(one.latency))
            share = float(one.latency[above].sum() / one.latency.sum())
            found.append(
                Outliers(
                    request=int(request),
                    n=len(one),
                    count=int(above.sum()),
                    typical=float(np.exp(middle)),
                    fence=fence,
                    worst=float(one.latency[worst]),
                    worst_at=float(one.sent[worst]),
                    share_of_time=share,
                )
            )
    return sorted(found, key=lambda one: one.share_of_time * one.n, reverse=True)
