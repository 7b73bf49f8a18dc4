"""Benchmarks of code and commands: hyperfine, pytest-benchmark, Google Benchmark; a value a repetition."""

from __future__ import annotations

from collections import Counter, defaultdict
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

AGGREGATES = {"mean", "median", "stddev"}  # of Google Benchmark; later versions add others
UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}


def is_hyperfine(document: Any) -> bool:
    results = _list(document, "results")
    return bool(results) and all("command" in one and "mean" in one for one in results)


def read_hyperfine(document: Any) -> Iterator[Imported]:
    """Read --export-json: seconds of each run of each command, and how many ended with an error."""
    for name, one in _told_apart(document["results"]):
        failed = sum(code != 0 for code in one.get("exit_codes") or [])  # none at all: a signal ended it
        if one.get("times"):
            values = [number("hyperfine", value, f"a time of {name}") for value in one["times"]]
            yield of_values("hyperfine", name, values, metric="time", errors=failed)
        else:
            mean = number("hyperfine", one.get("mean"), f"the mean of {name}")
            median = (
                None
                if one.get("median") is None
                else number("hyperfine", one["median"], f"the median of {name}")
            )
            yield Imported("hyperfine", name, "time", SECONDS, True, None, 0, mean, median, errors=failed)


def _told_apart(results: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each result by its command; where several have the same one, by its parameters or its number too."""
    same = Counter(str(one["command"]) for one in results)
    taken: Counter[str] = Counter()
    for one in results:
        name, parameters = str(one["command"]), one.get("parameters")
        if same[name] > 1 and isinstance(parameters, dict) and parameters:
            name += f" ({', '.join(f'{key}={value}' for key, value in parameters.items())})"
        taken[name] += 1
        yield (f"{name} ({taken[name]})" if taken[name] > 1 else name), one


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
    entries = _list(document, "benchmarks")
    names = {str(one.get("name")) for one in entries}
    for one in entries:
        name, aggregate = _name_and_aggregate(one, names)
        if one.get("error_occurred"):
            errors[name] += 1
        elif aggregate:
            aggregates[name][aggregate] = one
        elif not one.get("skipped"):
            runs[name].append(one)
    for name, repetitions in runs.items():
        times = [_seconds(one, name) for one in repetitions]
        yield of_values(tool, name, times, metric="time", errors=errors.pop(name, 0), started_at=started)
        rates = [one["items_per_second"] for one in repetitions if "items_per_second" in one]
        if len(rates) == len(repetitions):
            values = [number(tool, rate, f"the items per second of {name}") for rate in rates]
            yield _rates(name, values, started)
    for name, kinds in aggregates.items():
        if name not in runs and kinds.keys() & {"mean", "median"}:
            mean, median = (
                _seconds(kinds[kind], name) if kind in kinds else None for kind in ("mean", "median")
            )
            repetitions = kinds.get("median", kinds.get("mean", {})).get("repetitions", 0)
            n = count(tool, repetitions, f"the repetitions of {name}")
            yield Imported(tool, name, "time", SECONDS, True, None, n, mean, median, started_at=started)
    for name, many in errors.items():
        yield Imported(tool, name, "time", SECONDS, True, None, 0, errors=many, started_at=started)


def _name_and_aggregate(one: dict[str, Any], names: set[str]) -> tuple[str, str]:
    """The benchmark of an entry, and which aggregate of it this is: "mean", or "" for a repetition.

    Before version 1.5 only the end of its name told an aggregate, which never comes without the others.
    """
    name = str(one.get("run_name") or one.get("name"))
    if "run_type" in one:
        return name, str(one.get("aggregate_name")) if one["run_type"] == "aggregate" else ""
    base, _, end = name.rpartition("_")
    if end in AGGREGATES and {f"{base}_{kind}" for kind in AGGREGATES} <= names:
        return base, end
    return name, ""


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
