"""Locust: the tables of --csv and the document of --json; times are milliseconds.

Locust keeps response times rounded to two digits, so percentiles are as coarse (up to 5 %).
"""

from __future__ import annotations

from collections.abc import Iterator
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
    """Read --json: a histogram of response times for each request."""
    for one in document:
        name = _name(one.get("method"), one["name"])
        n = count(TOOL, one.get("num_requests"), f"the number of requests of {name}")
        began = number(TOOL, one.get("start_time"), "the start time")
        histogram = one["response_times"]
        if not isinstance(histogram, dict):
            raise UnreadableResult(f"Locust: the response times of {name} are no histogram; export again")
        times = {number(TOOL, key, "a time"): count(TOOL, many, "a count") for key, many in histogram.items()}
        total = number(TOOL, one.get("total_response_time"), "the total response time")
        p50, p90, p95, p99 = _of_histogram(times)
        answered = sum(times.values())
        yield _latency(
            name,
            n,
            total / answered * MILLI if answered else None,
            (p50, p90, p95, p99),
            count(TOOL, one.get("num_failures", 0), "the number of failures"),
            began,
        )
        last = one.get("last_request_timestamp")
        if last is not None and number(TOOL, last, "the last request's time") > began:
            yield throughput(TOOL, name, n, float(last) - began, moment(began))


def read_stats(rows: Iterator[dict[str, str]]) -> Iterator[Imported]:
    """Read PREFIX_stats.csv: a line for each request; the sum of all only where it stands alone."""
    found = list(rows)
    single = [row for row in found if row["Name"] != TOTAL] or found
    for row in single:
        name = _name(row.get("Type"), row["Name"])
        n = count(TOOL, row["Request Count"], f"the request count of {name}")
        if n == 0:
            continue
        quantiles = tuple(_percentile(row, key) for key in ("50%", "90%", "95%", "99%"))
        mean = number(TOOL, row["Average Response Time"], "the average response time") * MILLI
        failures = count(TOOL, row.get("Failure Count", 0), "the failure count")
        yield _latency(name, n, mean, quantiles, failures, None)
        rate = number(TOOL, row["Requests/s"], "the requests per second")
        if rate > 0:
            yield throughput(TOOL, name, n, n / rate, None)


def read_history(rows: Iterator[dict[str, str]]) -> Iterator[Imported]:
    """Read PREFIX_stats_history.csv: its last line for each request has the totals; percentiles are of the
    last seconds only, so all but the median are left out."""
    first: dict[str, float] = {}
    last: dict[str, dict[str, str]] = {}
    for row in rows:
        name = _name(row.get("Type"), row["Name"])
        first.setdefault(name, number(TOOL, row["Timestamp"], "a timestamp"))
        last[name] = row
    single = {name: row for name, row in last.items() if row["Name"] != TOTAL} or last
    began = min(first.values(), default=0.0)
    for name, row in single.items():
        n = count(TOOL, row["Total Request Count"], "the request count")
        if n == 0:
            continue
        median = number(TOOL, row["Total Median Response Time"], "the median response time") * MILLI
        mean = number(TOOL, row["Total Average Response Time"], "the average response time") * MILLI
        failures = count(TOOL, row.get("Total Failure Count", 0), "the failure count")
        yield _latency(name, n, mean, (median, None, None, None), failures, began)
        span = number(TOOL, row["Timestamp"], "a timestamp") - began
        if span > 0:
            yield throughput(TOOL, name, n, span, moment(began))


def _latency(
    name: str,
    n: int,
    mean: float | None,
    quantiles: tuple[float | None, ...],
    errors: int,
    began: float | None,
) -> Imported:
    p50, p90, p95, p99 = quantiles
    return Imported(
        TOOL, name, "latency", SECONDS, True, None, n, mean, p50, p90, p95, p99, errors, moment(began)
    )


def _name(method: str | None, name: str) -> str:
    return f"{method} {name}" if method else str(name)


def _percentile(row: dict[str, str], key: str) -> float | None:
    text = row.get(key, "")
    return None if text in {"", "N/A"} else number(TOOL, text, f"the {key} percentile") * MILLI


def _of_histogram(times: dict[float, int]) -> tuple[float | None, ...]:
    if not times:
        return (None,) * 4
    ordered = sorted(times)
    reached = np.cumsum([times[time] for time in ordered])
    places = np.searchsorted(reached, np.array([0.5, 0.9, 0.95, 0.99]) * reached[-1])
    return tuple(float(ordered[min(int(place), len(ordered) - 1)]) * MILLI for place in places)
