"""k6: the summary at the end, points as JSON lines, and points as a table.

Times are milliseconds.  Source: the k6 documentation, "End of test" and "Real-time: JSON, CSV"; a moment of a
table is written as K6_CSV_TIME_FORMAT says: seconds, or some part of one, since 1970, or a date.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from performance.imports.results import (
    PER_SECOND,
    SECONDS,
    Imported,
    Requests,
    UnreadableResult,
    count,
    moment_of_text,
    number,
)

TOOL = "k6"
DURATION, FAILED, ITERATION = "http_req_duration", "http_req_failed", "iteration_duration"
WANTED = (DURATION, FAILED, ITERATION)
MILLI = 1e-3
PARTS = 1e3, 1e6, 1e9  # of a second, as moments are counted in
LAST_SECOND = 1e11  # in the year 5138: what is more is no count of seconds
STATISTICS = {"avg", "med", "p(50)", "p(90)", "p(95)", "p(99)", "p(99.9)"}


def is_summary(document: Any) -> bool:
    return isinstance(document, dict) and isinstance(document.get("metrics"), dict)


def read_summary(document: Any) -> Iterator[Imported]:
    """Read --summary-export or the data of handleSummary: every trend of time, and the rates of counters.

    Only `http_req_duration` is the latency of all requests; its phases (blocked, waiting …) are times, and of
    its parts (`http_req_duration{name:cart}`) k6 does not tell how many requests they are.
    """
    metrics = {name: _values(metric) for name, metric in document["metrics"].items()}
    requests = metrics.get("http_reqs", {}).get("count", 0)
    iterations = metrics.get("iterations", {}).get("count", 0)
    for name, values in metrics.items():
        if values.keys() & STATISTICS and _is_time(name, document["metrics"][name]):
            whole, _, part = name.partition("{")
            many = 0 if part else requests if whole.startswith("http_req") else iterations
            failed = _failures(metrics) if name == DURATION else 0
            yield _trend(name, values, count(TOOL, values.get("count", many), f"the count of {name}"), failed)
        elif name in {"http_reqs", "iterations"}:
            rate = number(TOOL, values.get("rate"), f"the rate of {name}")
            many = count(TOOL, values.get("count"), f"the count of {name}")
            is_whole = name == "http_reqs" or not requests
            yield Imported(
                TOOL,
                name,
                "throughput",
                PER_SECOND,
                False,
                None,
                many,
                mean=rate,
                p50=rate,
                is_whole=is_whole,
            )


def _trend(name: str, values: dict[str, Any], n: int, failed: int) -> Imported:
    return Imported(
        tool=TOOL,
        name=name,
        metric="latency" if name.partition("{")[0] == DURATION else "time",
        unit=SECONDS,
        less_is_better=True,
        values=None,
        n=n,
        mean=_in_seconds(values, "avg"),
        p50=_in_seconds(values, "med" if "med" in values else "p(50)"),
        p90=_in_seconds(values, "p(90)"),
        p95=_in_seconds(values, "p(95)"),
        p99=_in_seconds(values, "p(99)"),
        p999=_in_seconds(values, "p(99.9)"),
        errors=failed,
        is_whole=name == DURATION,
    )


def _values(metric: Any) -> dict[str, Any]:
    if not isinstance(metric, dict):
        raise UnreadableResult("k6: a metric of the summary is no object; export it again")
    inner = metric.get("values", metric)  # handleSummary has one level more than --summary-export
    return inner if isinstance(inner, dict) else {}


def _is_time(name: str, metric: dict[str, Any]) -> bool:
    if "contains" in metric:
        return metric["contains"] == "time"
    return "duration" in name or name.startswith("http_req_")


def _in_seconds(values: dict[str, Any], key: str) -> float | None:
    return None if values.get(key) is None else number(TOOL, values[key], key) * MILLI


def _failures(metrics: dict[str, dict[str, Any]]) -> int:
    # "passes" counts the ones: requests of which it is true that they failed.
    return count(TOOL, metrics.get(FAILED, {}).get("passes", 0), "the failed requests")


def is_line(line: bytes) -> bool:
    try:
        found = json.loads(line)
    except ValueError:
        return False
    return isinstance(found, dict) and found.get("type") in {"Metric", "Point"} and "metric" in found


def read_lines(lines: Iterator[str]) -> Iterator[Imported]:
    """Read --out json: a point a line, a latency and a failure for each request."""
    points = _Points()
    for place, line in enumerate(lines, 1):
        if not any(name in line for name in WANTED):
            continue
        try:
            point = json.loads(line)
            if point["type"] != "Point":
                continue
            metric, data = str(point["metric"]), point["data"]
            tags = data.get("tags") or {}
            name = str(tags.get("name") or tags.get("url") or tags.get("scenario") or "all")
            points.add(metric, name, number(TOOL, data["value"], "a value"), data["time"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            if isinstance(error, UnreadableResult):
                raise
            raise UnreadableResult(
                f"k6: line {place} is damaged or cut off; remove it, or send the file again"
            ) from error
    return points.results()


def read_table(rows: Iterator[dict[str, str]]) -> Iterator[Imported]:
    """Read --out csv, whose times are whole seconds unless K6_CSV_TIME_FORMAT says otherwise."""
    points = _Points()
    for row in rows:
        metric = row["metric_name"]
        if metric in WANTED:
            name = row.get("name") or row.get("url") or row.get("scenario") or "all"
            value = number(TOOL, row["metric_value"], f"a value of {metric}")
            points.add(metric, name, value, row["timestamp"])
    return points.results()


class _Points:
    def __init__(self) -> None:
        self.http, self.iterations = Requests(TOOL), Requests(TOOL)

    def add(self, metric: str, name: str, value: float, at: str) -> None:
        if metric == FAILED:
            self.http.errors[name] = self.http.errors.get(name, 0) + (value > 0)
            return
        into = self.http if metric == DURATION else self.iterations
        into.add(name, value * MILLI, self._sent(at, value * MILLI), failed=False)

    def results(self) -> Iterator[Imported]:
        """The HTTP requests; where there are none (gRPC, browser), the iterations."""
        return (self.http if self.http.latencies else self.iterations).results()

    @staticmethod
    def _sent(at: str, seconds: float) -> float | None:
        # A point is written when the answer is there.
        if found := moment_of_text(at):
            return found.timestamp() - seconds
        since = number(TOOL, at, "a timestamp")
        return (
            next(since / part for part in (1, *PARTS) if since < LAST_SECOND * part or part == PARTS[-1])
            - seconds
        )
