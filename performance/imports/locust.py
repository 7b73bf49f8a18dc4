"""Locust: the tables of --csv and the document of --json; times are milliseconds.

Locust keeps response times rounded to two digits, so percentiles are as coarse (up to 5 %).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from performance.imports.results import SECONDS, Imported, UnreadableResult, count, moment, number, throughput

TOOL = "Locust"
MILLI = 1e-3
TOTAL = "Aggregated"


def is_document(document: Any) -> bool:
    return (
        isinstance(document, list)
        and bool(document)
        and all(isinstance(one, dict) and "response_times" in one and "name" in one for one in document)
    )


def read_document(document: Any) -> Iterator[Imported]:
    """Read --json: a histogram of response times for each request, and all of them together."""
    kinds = [_Kind.read(one) for one in document]
    for kind in kinds:
        yield from kind.results()
    if len(kinds) > 1:
        yield from _Kind.together(kinds).results(is_whole=True)


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a document says of one kind of request: moments in seconds since 1970, `times` in milliseconds."""

    name: str
    n: int
    failed: int
    began: float
    last: float | None
    total: float
    times: Counter[float]

    @classmethod
    def read(cls, one: dict[str, Any]) -> _Kind:
        name = _name(one.get("method"), one["name"])
        if not isinstance(one["response_times"], dict):
            raise UnreadableResult(f"Locust: the response times of {name} are no histogram; export again")
        last = one.get("last_request_timestamp")
        return cls(
            name,
            count(TOOL, one.get("num_requests"), f"the number of requests of {name}"),
            count(TOOL, one.get("num_failures", 0), "the number of failures"),
            number(TOOL, one.get("start_time"), "the start time"),
            None if last is None else number(TOOL, last, "the last request's time"),
            number(TOOL, one.get("total_response_time"), "the total response time"),
            Counter(
                {
                    number(TOOL, time, "a time"): count(TOOL, many, "a count")
                    for time, many in one["response_times"].items()
                }
            ),
        )

    @classmethod
    def together(cls, kinds: Sequence[_Kind]) -> _Kind:
        return cls(
            "",
            sum(one.n for one in kinds),
            sum(one.failed for one in kinds),
            min(one.began for one in kinds),
            max((one.last for one in kinds if one.last is not None), default=None),
            sum(one.total for one in kinds),
            sum((one.times for one in kinds), Counter()),
        )

    def results(self, *, is_whole: bool = False) -> Iterator[Imported]:
        answered = sum(self.times.values())
        mean = self.total / answered * MILLI if answered else None
        quantiles = _of_histogram(self.times)
        yield _latency(self.name, self.n, mean, quantiles, self.failed, self.began, is_whole=is_whole)
        if self.last is not None and self.last > self.began:
            seconds, began = self.last - self.began, moment(self.began)
            yield throughput(TOOL, self.name, self.n, seconds, began, is_whole=is_whole)


def read_stats(rows: Iterator[dict[str, str]]) -> Iterator[Imported]:
    """Read PREFIX_stats.csv: a line for each request, and one of all of them."""
    for row in rows:
        name, is_whole = _named(row)
        n = count(TOOL, row["Request Count"], f"the request count of {name}")
        if n == 0:
            continue
        quantiles = tuple(_time(row, key) for key in ("50%", "90%", "95%", "99%"))
        mean = number(TOOL, row["Average Response Time"], "the average response time") * MILLI
        failures = count(TOOL, row.get("Failure Count", 0), "the failure count")
        yield _latency(name, n, mean, quantiles, failures, None, is_whole=is_whole)
        rate = number(TOOL, row["Requests/s"], "the requests per second")
        if rate > 0:
            yield throughput(TOOL, name, n, n / rate, None, is_whole=is_whole)


def read_history(rows: Iterator[dict[str, str]]) -> Iterator[Imported]:
    """Read PREFIX_stats_history.csv: its last line for each request has the totals; percentiles are of the
    last seconds only, so all but the median are left out."""
    first: dict[tuple[str, bool], float] = {}
    last: dict[tuple[str, bool], dict[str, str]] = {}
    for row in rows:
        first.setdefault(_named(row), number(TOOL, row["Timestamp"], "a timestamp"))
        last[_named(row)] = row
    began = min(first.values(), default=0.0)
    for (name, is_whole), row in last.items():
        n = count(TOOL, row["Total Request Count"], "the request count")
        if n == 0:
            continue
        median = _time(row, "Total Median Response Time")
        mean = number(TOOL, row["Total Average Response Time"], "the average response time") * MILLI
        failures = count(TOOL, row.get("Total Failure Count", 0), "the failure count")
        yield _latency(name, n, mean, (median, None, None, None), failures, began, is_whole=is_whole)
        span = number(TOOL, row["Timestamp"], "a timestamp") - began
        if span > 0:
            yield throughput(TOOL, name, n, span, moment(began), is_whole=is_whole)


def _latency(
    name: str,
    n: int,
    mean: float | None,
    quantiles: Sequence[float | None],
    errors: int,
    began: float | None,
    *,
    is_whole: bool,
) -> Imported:
    p50, p90, p95, p99 = quantiles
    return Imported(
        TOOL,
        name,
        "latency",
        SECONDS,
        True,
        None,
        n,
        mean,
        p50,
        p90,
        p95,
        p99,
        errors=errors,
        started_at=moment(began),
        is_whole=is_whole,
    )


def _named(row: dict[str, str]) -> tuple[str, bool]:
    """The name of a line of a table, and whether it is that of all requests together."""
    is_whole = row["Name"] == TOTAL and not row.get("Type")
    return "" if is_whole else _name(row.get("Type"), row["Name"]), is_whole


def _name(method: str | None, name: str) -> str:
    return f"{method} {name}" if method else str(name)


def _time(row: dict[str, str], key: str) -> float | None:
    text = row.get(key, "")
    return None if text in {"", "N/A"} else number(TOOL, text, f"the {key}") * MILLI


def _of_histogram(times: Counter[float]) -> tuple[float | None, ...]:
    if not times:
        return (None,) * 4
    ordered = sorted(times)
    reached = np.cumsum([times[time] for time in ordered])
    places = np.searchsorted(reached, np.array([0.5, 0.9, 0.95, 0.99]) * reached[-1])
    return tuple(float(ordered[min(int(place), len(ordered) - 1)]) * MILLI for place in places)
