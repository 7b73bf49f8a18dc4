"""One figure of many runs: what is compared, judged and watched."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from performance.models import Metric, WorkloadRun

QUANTILES = ("p50", "p90", "p95", "p99", "p999", "mean")
TIME = "time"  # the median repetition of a benchmark, which has no latency
HEADLINES = ("latency.p50", "latency.p95", "latency.p99", TIME, "throughput", "error_share")
SHARES = ("share",)  # units whose figures may be zero: compared by difference, not by ratio
MOST_REQUESTS = 50
COLUMNS = ("run_id", "name", "request", "unit", "less_is_better", "n", "value", *QUANTILES)


@dataclass(frozen=True, slots=True)
class Yardstick:
    """What is read from every run: `latency.p95` of the request `cart`; empty means all requests."""

    metric: str
    request: str = ""

    @property
    def name(self) -> str:
        return self.metric.partition(".")[0] if self.column != "value" else self.metric

    @property
    def column(self) -> str:
        last = self.metric.rpartition(".")[2]
        return last if last in QUANTILES else "value"

    def __str__(self) -> str:
        return f"{self.metric} of {self.request}" if self.request else self.metric


@dataclass
class Reading:
    """The values of one yardstick by run, in `unit`."""

    yardstick: Yardstick
    unit: str = ""
    less_is_better: bool = True
    values: dict[Any, float] = field(default_factory=dict)
    counts: dict[Any, int] = field(default_factory=dict)

    @property
    def is_ratio(self) -> bool:
        return self.unit not in SHARES

    def of(self, runs: Iterable[Any]) -> list[float]:
        """Values of those runs (by primary key) that have one, in their order."""
        return [self.values[run] for run in runs if run in self.values]


def read_runs(
    runs: Collection[Any], metrics: Collection[str] = HEADLINES, *, by_request: bool = False
) -> dict[Yardstick, Reading]:
    """Return what was measured in `runs` (primary keys), in one query; what was not measured is not there.

    Args:
        metrics: names with a column, as in `latency.p95`; `component:*` reads every component's median.
        by_request: also for each request alone, the fifty first by name.
    """
    asked: dict[str, list[str]] = {}
    for metric in metrics:
        asked.setdefault("*" if metric == "component:*" else Yardstick(metric).name, []).append(metric)
    rows = Metric.objects.filter(run_id__in=list(runs))
    if not by_request:
        rows = rows.of_all_requests()
    found: dict[Yardstick, Reading] = {}
    requests: set[str] = set()
    for row in rows.order_by("request", "name").values(*COLUMNS):
        request, name = row["request"], row["name"]
        if request and request not in requests:
            if len(requests) >= MOST_REQUESTS:
                continue
            requests.add(request)
        for yardstick in asked.get(name, [name] if name.startswith("component:") and "*" in asked else []):
            _add(found, Yardstick(yardstick, request), row)
    return found


def measured(run: WorkloadRun) -> bool:
    """Whether `run` may stand for its system: it ended, was measured whole, and the generator kept up."""
    return (
        run.run.status in ("passed", "failed")
        and run.run.excluded_at is None
        and run.summarized_at is not None
        and not run.generator_limit
        and not run.stopped_early
    )


def _add(found: dict[Yardstick, Reading], yardstick: Yardstick, row: dict[str, Any]) -> None:
    value = row[yardstick.column]
    if value is None or not row["n"]:
        return
    reading = found.setdefault(yardstick, Reading(yardstick, row["unit"], row["less_is_better"]))
    reading.values[row["run_id"]] = value
    reading.counts[row["run_id"]] = row["n"]
