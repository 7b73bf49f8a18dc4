"""Benchmarks of code and commands: hyperfine, pytest-benchmark, Google Benchmark; a value a repetition."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from performance.imports.results import (
    PER_SECOND,
    SECONDS,
    Imported,
    UnreadableResult,
    count,
    moment_of_text,
    number,
    of_values,
)

UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}


def is_hyperfine(document: Any) -> bool:
    results = _list(document, "results")
    return bool(results) and all("command" in one and "median" in one for one in results)


def read_hyperfine(document: Any) -> Iterator[Imported]:
    """Read --export-json: seconds of each run of each command, and how many ended with an error."""
    for one in document["results"]:
        name = str(one["command"])
        codes = one.get("exit_codes") or []
        failed = sum(code not in (0, None) for code in codes)
        if one.get("times"):
            values = [number("hyperfine", value, f"a time of {name}") for value in one["times"]]
            yield of_values("hyperfine", name, values, metric="time", errors=failed)
        else:
            mean, median = (
                number("hyperfine", one.get(key), f"the {key} of {name}") for key in ("mean", "median")
            )
            yield Imported("hyperfine", name, "time", SECONDS, True, None, 0, mean, median, errors=failed)


def is_pytest_benchmark(document: Any) -> bool:
    return isinstance(document, dict) and "machine_info" in document and "benchmarks" in document


def read_pytest_benchmark(document: Any) -> Iterator[Imported]:
    """Read --benchmark-json: with single rounds where they were saved, else the summary."""
    tool = "pytest-benchmark"
    started = moment_of_text(document.get("datetime"))
    for one in _list(document, "benchmarks"):
        name, stats = str(one.get("fullname") or one.get("name")), one.get("stats")
        if not isinstance(stats, dict):
            raise UnreadableResult(f"{tool}: {name} has no stats; run it again with --benchmark-json=FILE")
        if stats.get("data"):
            values = [number(tool, value, f"a round of {name}") for value in stats["data"]]
            yield of_values(tool, name, values, metric="time", started_at=started)
        else:
            rounds = count(tool, stats.get("rounds"), f"the rounds of {name}")
            mean, median = (
                number(tool, stats.get(key), f"the {key} of {name}") for key in ("mean", "median")
            )
            yield Imported(tool, name, "time", SECONDS, True, None, rounds, mean, median, started_at=started)


def is_google_benchmark(document: Any) -> bool:
    return isinstance(document, dict) and "context" in document and "benchmarks" in document


def read_google_benchmark(document: Any) -> Iterator[Imported]:
    """Read --benchmark_format=json: a value for each repetition; its own aggregates only where it wrote no
    repetitions."""
    tool, context = "Google Benchmark", document["context"]
    started = moment_of_text(context.get("date") if isinstance(context, dict) else None)
    runs: dict[str, list[dict[str, Any]]] = defaultdict(list)
    aggregates: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    errors: dict[str, int] = defaultdict(int)
    for one in _list(document, "benchmarks"):
        name = str(one.get("run_name") or one.get("name"))
        if one.get("error_occurred"):
            errors[name] += 1
        elif one.get("run_type") == "aggregate":
            aggregates[name][str(one.get("aggregate_name"))] = one
        else:
            runs[name].append(one)
    for name, repetitions in runs.items():
        times = [_seconds(one, name) for one in repetitions]
        yield of_values(tool, name, times, metric="time", errors=errors.pop(name, 0), started_at=started)
        rates = [one["items_per_second"] for one in repetitions if "items_per_second" in one]
        if len(rates) == len(repetitions):
            values = [number(tool, rate, f"the items per second of {name}") for rate in rates]
            yield _rates(name, values, started)
    for name, kinds in aggregates.items():
        if name not in runs and "median" in kinds:
            mean = _seconds(kinds["mean"], name) if "mean" in kinds else None
            n = count(tool, kinds["median"].get("repetitions", 0), f"the repetitions of {name}")
            median = _seconds(kinds["median"], name)
            yield Imported(tool, name, "time", SECONDS, True, None, n, mean, median, started_at=started)
    for name, many in errors.items():
        yield Imported(tool, name, "time", SECONDS, True, None, 0, errors=many, started_at=started)


def _rates(name: str, values: list[float], started: datetime | None) -> Imported:
    return of_values(
        "Google Benchmark",
        name,
        values,
        metric="throughput",
        unit=PER_SECOND,
        less_is_better=False,
        started_at=started,
    )


def _seconds(one: dict[str, Any], name: str) -> float:
    unit = one.get("time_unit", "ns")
    if unit not in UNITS:
        raise UnreadableResult(f"Google Benchmark: {name} is told in {unit!r}; use one of {', '.join(UNITS)}")
    return number("Google Benchmark", one.get("real_time"), f"the real time of {name}") * UNITS[unit]


def _list(document: Any, key: str) -> list[dict[str, Any]]:
    found = document.get(key) if isinstance(document, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
