"""k6: the summary at the end, points as JSON lines, and points as a table.

Times are milliseconds.  Source: the k6 documentation, "End of test" and "Real-time: JSON, CSV".
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


def is_summary(document: Any) -> bool:
    return isinstance(document, dict) and isinstance(document.get("metrics"), dict)


def read_summary(document: Any) -> Iterator[Imported]:
    """Read --summary-export or the data of handleSummary: every trend of time, and the rates of counters."""
    metrics = {name: _values(metric) for name, metric in document["metrics"].items()}
    requests = metrics.get("http_reqs", {}).get("count", 0)
    iterations = metrics.get("iterations", {}).get("count", 0)
    for name, values in metrics.items():
        kind = document["metrics"][name]
        if "med" in values and _is_time(name, kind):
            of_http = name.partition("{")[0].startswith("http_req")
            many = values.get("count", requests if of_http else iterations)
            yield Imported(
                tool=TOOL,
                name=name,
                metric="latency" if of_http else "time",
                unit=SECONDS,
                less_is_better=True,
                values=None,
                n=count(TOOL, many, f"the count of {name}"),
                mean=_in_seconds(values, "avg"),
                p50=_in_seconds(values, "med"),
                p90=_in_seconds(values, "p(90)"),
                p95=_in_seconds(values, "p(95)"),
                p99=_in_seconds(values, "p(99)"),
                errors=_failures(metrics) if name == DURATION else 0,
            )
        elif name in {"http_reqs", "iterations"}:
            rate = number(TOOL, values.get("rate"), f"the rate of {name}")
            many = count(TOOL, values.get("count"), f"the count of {name}")
            yield Imported(TOOL, name, "throughput", PER_SECOND, False, None, many, mean=rate, p50=rate)


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
    """Read --out csv; its times are whole seconds."""
    points = _Points()
    for row in rows:
        metric = row["metric_name"]
        if metric in WANTED:
            name = row.get("name") or row.get("url") or row.get("scenario") or "all"
            value = number(TOOL, row["metric_value"], f"a value of {metric}")
            points.add(metric, name, value, number(TOOL, row["timestamp"], "a timestamp"))
    return points.results()


class _Points:
    def __init__(self) -> None:
        self.http, self.iterations = Requests(TOOL), Requests(TOOL)

    def add(self, metric: str, name: str, value: float, at: str | float) -> None:
        if metric == FAILED:
            self.http.errors[name] = self.http.errors.get(name, 0) + (value > 0)
            return
        into = self.http if metric == DURATION else self.iterations
        into.add(name, value * MILLI, self._sent(at, value * MILLI), failed=False)

    def results(self) -> Iterator[Imported]:
        """The HTTP requests; where there are none (gRPC, browser), the iterations."""
        return (self.http if self.http.latencies else self.iterations).results()

    @staticmethod
    def _sent(at: str | float, seconds: float) -> float | None:
        if isinstance(at, float):
            return at - seconds  # a point is written when the answer is there
        found = moment_of_text(at)
        return found.timestamp() - seconds if found else None
