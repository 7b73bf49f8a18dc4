"""What a load amounts to: figures of all requests and of each, and series over the load's time.

Pure: from samples to numbers.  Seconds, 1/s, bytes, shares from 0 to 1.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from analysis.blocks import quantile_interval
from analysis.omission import back_fill, missed
from analysis.proportions import wilson_interval
from analysis.sketches import sketch_of_column
from performance.samples import ERRORS, NOT_CONNECTED, Samples

QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}
BEYOND = 3  # values that must lie beyond a percentile, or it is a guess and stays empty
BLOCKS = 20
MOST_WINDOWS = 600
CORRECTED = "latency_corrected"
IN_BLOCKS_UP_TO = 250_000  # values; above, every second one (or third …) tells the interval


@dataclass(slots=True)
class Figure:
    """One figure as `Metric` keeps it."""

    name: str
    unit: str
    request: str = ""
    less_is_better: bool = True
    n: int = 0
    value: float | None = None
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    p50: float | None = None
    p90: float | None = None
    p95: float | None = None
    p99: float | None = None
    p999: float | None = None
    intervals: dict[str, list[float | None]] = field(default_factory=dict)
    sketch: bytes = b""


@dataclass(slots=True)
class Column:
    """One series: seconds since the load's start and values, both (n,); gaps are NaN."""

    name: str
    unit: str
    times: np.ndarray
    values: np.ndarray


def figures_of(samples: Samples, *, begin: float, end: float) -> list[Figure]:
    """Return the figures of the requests that were meant for `begin` to `end` (seconds since the start)."""
    rows = samples.rows
    # One column at a time: all of a million rows, sorted, would be many times what is counted of them.
    order = np.flatnonzero(samples.measured)
    order = order[np.argsort(rows["intended"][order], kind="stable")]
    made = list(_of_requests("", rows, order, end - begin)) if len(order) else []
    if len(samples.requests) > 1:
        kinds = rows["request"][order]
        for number, name in enumerate(samples.requests):
            which = order[kinds == number]
            made += _of_requests(name, rows, which, end - begin) if len(which) else []
    return [*made, *_components(samples)]


def corrected_latency(samples: Samples, *, think: float) -> Figure | None:
    """Return the latency of a closed loop with the requests put back that waiting kept from being sent.

    An estimate: a user would have sent the next request `think` seconds (on average) after an answer that
    comes in the median time of its kind of request.  It has no intervals, as it was not measured.
    """
    which = np.flatnonzero(samples.measured & samples.timed)
    values, kinds = samples.rows["latency"][which].astype(float), samples.rows["request"][which]
    usual = np.zeros(len(samples.requests))
    for number in np.unique(kinds):
        usual[number] = np.median(values[kinds == number])
    intervals = think + usual[kinds]
    if not len(values) or not (intervals > 0).all():
        return None
    n = len(values) + int(missed(values, intervals).sum())
    filled = back_fill(values, intervals)
    made = Figure(CORRECTED, "s", n=n, mean=float(filled.mean()))
    _set_quantiles(made, filled)
    made.value = made.p50 if made.p50 is not None else float(np.median(filled))
    return made


def series_of(samples: Samples) -> list[Column]:
    """Return what went on over the whole load, in at most 600 windows; the warm-up is shown too."""
    rows = samples.rows
    ended = rows["intended"] + rows["latency"]
    last = float(ended.max()) if len(rows) else 0.0
    width = max(1.0, last / MOST_WINDOWS)
    edges = np.arange(0.0, last + width, width)
    if len(edges) < 2:
        return []
    times = (edges[:-1] + edges[1:]) / 2
    count = np.histogram(ended, edges)[0].astype(float)
    bad = np.histogram(ended[samples.failed], edges)[0]
    widths = np.minimum(edges[1:], last) - edges[:-1]
    widths = np.where(widths > 0.2 * width, widths, np.nan)  # a sliver at the end would show as a peak
    share = np.divide(bad, count, out=np.full(len(times), np.nan), where=count > 0)
    sent = np.histogram(rows["intended"], edges)[0].astype(float)
    flying = np.searchsorted(np.sort(rows["intended"]), times) - np.searchsorted(np.sort(ended), times)
    p50, p95 = _window_quantiles(samples, edges)
    return [
        Column("throughput", "1/s", times, (count - bad) / widths),
        Column("arrivals", "1/s", times, sent / widths),
        Column("p50", "s", times, p50),
        Column("p95", "s", times, p95),
        Column("error_share", "share", times, share),
        Column("in_flight", "requests", times, np.maximum(flying, 0).astype(float)),
    ]


def _of_requests(name: str, rows: np.ndarray, which: np.ndarray, seconds: float) -> Iterator[Figure]:
    """The figures of the rows `which`, numbers in the order of their intended times."""
    flags = rows["flags"][which]
    failed, timed = (flags & ERRORS) != 0, which[(flags & NOT_CONNECTED) == 0]
    for what, column in (("latency", "latency"), ("service_time", "service")):
        if len(timed):
            yield figure_of_values(what, "s", rows[column][timed].astype(float), name)
    good = which[~failed]
    yield _throughput(rows["intended"][good] + rows["latency"][good], seconds, name)
    interval = wilson_interval(int(failed.sum()), len(which))
    low, high = interval or (None, None)
    share = float(failed.mean())
    yield Figure("error_share", "share", name, n=len(which), value=share, mean=share, low=low, high=high)
    answered = rows["bytes"][which[rows["status"][which] > 0]]
    if len(answered):
        mean = float(answered.mean())
        sizes = Figure("bytes", "bytes", name, n=len(answered), value=mean, mean=mean)
        _set_quantiles(sizes, answered)
        yield sizes


def figure_of_values(what: str, unit: str, values: np.ndarray, name: str = "") -> Figure:
    """Quantiles with their intervals; `values` (n,) in the order of their intended times, n >= 1."""
    made = Figure(what, unit, name, n=len(values), mean=float(values.mean()))
    _set_quantiles(made, values)
    step = math.ceil(len(values) / IN_BLOCKS_UP_TO)
    for key, q in QUANTILES.items():
        if getattr(made, key) is not None:
            found = quantile_interval(cast(Sequence[float], values[::step]), q)
            if found.low is not None or found.high is not None:
                made.intervals[key] = [found.low, found.high]
    if between := _mean_interval(values):
        made.intervals["mean"] = list(between)
    made.value = made.p50 if made.p50 is not None else float(np.median(values))
    made.low, made.high = made.intervals.get("p50", [None, None])
    made.sketch = sketch_of_column(values)
    return made


def _set_quantiles(made: Figure, values: np.ndarray) -> None:
    found = np.quantile(values, list(QUANTILES.values()))
    for (key, q), value in zip(QUANTILES.items(), found, strict=True):
        if len(values) * (1 - q) >= BEYOND - 1e-9:  # 30 × (1 − 0.9) is a little less than 3
            setattr(made, key, float(value))


def _throughput(ends: np.ndarray, seconds: float, name: str) -> Figure:
    """Answers that passed their checks, per second; its interval from stretches of equal length."""
    rate = len(ends) / seconds if seconds > 0 else 0.0
    made = Figure("throughput", "1/s", name, less_is_better=False, n=len(ends), value=rate, mean=rate)
    if len(ends) >= 10 * BLOCKS and seconds > 0:
        counts = np.histogram(ends, BLOCKS)[0] / ((ends.max() - ends.min()) / BLOCKS)
        half = 2.093 * float(counts.std(ddof=1)) / math.sqrt(BLOCKS)  # Student's t, 19 degrees of freedom
        made.low, made.high = max(0.0, rate - half), rate + half
    return made


def _mean_interval(values: np.ndarray) -> tuple[float, float] | None:
    """The 95 % interval of the mean by the means of blocks, as requests resemble their neighbors."""
    size = len(values) // BLOCKS
    if size < 10:
        return None
    means = values[: size * BLOCKS].reshape(BLOCKS, size).mean(axis=1)
    half = 2.093 * float(means.std(ddof=1)) / math.sqrt(BLOCKS)
    return float(values.mean()) - half, float(values.mean()) + half


def _components(samples: Samples) -> Iterator[Figure]:
    """What the target said of its parts: times, and each one's share of all response time."""
    if not len(samples.parts):
        return
    rows = samples.rows[samples.parts["sample"]]
    counts = samples.measured[samples.parts["sample"]]
    parts, rows = samples.parts[counts], rows[counts]
    whole = float(samples.rows["service"][samples.measured & samples.timed].sum())
    order = np.argsort(rows["intended"], kind="stable")
    parts = parts[order]
    for number, name in enumerate(samples.components):
        values = parts["duration"][parts["component"] == number].astype(float)
        if len(values):
            yield figure_of_values(f"component:{name}", "s", values)
            share = min(1.0, float(values.sum()) / whole) if whole > 0 else 0.0
            yield Figure(f"component_share:{name}", "share", n=len(values), value=share, mean=share)


def _window_quantiles(samples: Samples, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows = samples.rows[samples.timed]
    rows = rows[np.argsort(rows["intended"], kind="stable")]
    cuts = np.searchsorted(rows["intended"], edges)
    found = np.full((2, len(edges) - 1), np.nan)
    for number, (begin, end) in enumerate(itertools.pairwise(cuts)):
        if end > begin:
            found[:, number] = np.quantile(rows["latency"][begin:end], [0.5, 0.95])
    return found[0], found[1]
