"""What the pages about workloads show: all of them, one with its history, and what is open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Q, Window
from django.db.models.functions import RowNumber

from access.models import Project
from dashboards.states import State, state
from performance.models import ChangePoint, Metric, TrackRun, Workload, WorkloadRun
from performance.readings import TIME

TREND = 20  # runs in the small picture of a list
HISTORY = 200  # runs on the page of one workload
FIGURES = {  # what can be drawn over time: name, unit, less is better
    "latency.p50": ("median latency", "s", True),
    "latency.p95": ("p95 latency", "s", True),
    "latency.p99": ("p99 latency", "s", True),
    "time": ("time of a benchmark", "s", True),
    "throughput": ("throughput", "1/s", False),
    "error_share": ("share of errors", "share", True),
}
COLUMNS = ["name", "environment", "target", "last_run", "status", "started_at", "p50", "p95", "throughput"]
RUN_COLUMNS = [
    *("test_run_id", "component", "status", "started_at", "branch", "commit_sha", "requests", "errors"),
    *("p50", "p95", "p99", "throughput", "left_out"),
]


@dataclass(frozen=True, slots=True)
class WorkloadRow:
    """A workload in a list: its latest run, and the p95 of its last ones, oldest first."""

    workload: Workload
    last: WorkloadRun | None
    latency: Metric | None
    throughput: Metric | None
    trend: list[float]
    alarms: int

    @property
    def state(self) -> State | None:
        return state(self.last.run.status) if self.last else None

    @property
    def room(self) -> int:
        """For how many bars there is room: a single run is no wall."""
        return max(len(self.trend), TREND)

    @property
    def bars(self) -> list[tuple[int, float]]:
        """Position and height (0 to 1) of the small picture's bars."""
        highest = max(self.trend, default=0.0)
        return [(number, value / highest) for number, value in enumerate(self.trend) if highest > 0]


def rows_of(project: Project) -> list[WorkloadRow]:
    """Return every workload in use, in three queries."""
    workloads = list(
        Workload.objects.of(project)
        .in_use()
        .select_related("environment", "project")
        .annotate(
            alarms=Count("change_points", filter=Q(change_points__is_alarm=True, change_points__state="new"))
        )
        .order_by("name")
    )
    newest: defaultdict[Any, list[WorkloadRun]] = defaultdict(list)
    for run in _newest_of_each(workloads):
        newest[run.workload_id].append(run)
    figures = figures_of([run for runs in newest.values() for run in runs], ["latency", TIME, "throughput"])
    return [_row(workload, newest[workload.pk], figures) for workload in workloads]


def _newest_of_each(workloads: Sequence[Workload]) -> Iterable[WorkloadRun]:
    place = Window(RowNumber(), partition_by=[F("workload")], order_by=[F("started_at").desc()])
    runs = WorkloadRun.objects.filter(workload__in=workloads).select_related("run").defer("spec", "progress")
    return runs.annotate(place=place).filter(place__lte=TREND).order_by("-started_at")


def _row(workload: Workload, runs: list[WorkloadRun], figures: dict[tuple[Any, str], Metric]) -> WorkloadRow:
    last = runs[0] if runs else None
    known = [_main(figures, run) for run in reversed(runs)]
    p95 = [one.p95 for one in known if one]
    return WorkloadRow(
        workload,
        last,
        _main(figures, last) if last else None,
        figures.get((last.pk, "throughput")) if last else None,
        [value for value in p95 if value is not None],
        workload.alarms,  # type: ignore[attr-defined]
    )


def figures_of(runs: Sequence[WorkloadRun], names: Sequence[str]) -> dict[tuple[Any, str], Metric]:
    """Return the figures over all requests of `runs` by run and name, in one query."""
    found = Metric.objects.of_all_requests().filter(run__in=[run.pk for run in runs], name__in=names)
    return {(metric.run_id, metric.name): metric for metric in found.defer("sketch")}


def _main(figures: dict[tuple[Any, str], Metric], run: WorkloadRun) -> Metric | None:
    """The latency of a load, the time of a benchmark."""
    return figures.get((run.pk, "latency")) or figures.get((run.pk, TIME))


def plain(row: WorkloadRow) -> dict[str, Any]:
    """A workload for a file: snake_case, seconds."""
    return {
        "name": row.workload.name,
        "environment": row.workload.environment.name,
        "target": row.workload.target,
        "last_run": row.last.run.test_run_id if row.last else None,
        "status": row.last.run.status if row.last else None,
        "started_at": row.last.started_at if row.last else None,
        "p50": row.latency.p50 if row.latency else None,
        "p95": row.latency.p95 if row.latency else None,
        "throughput": row.throughput.value if row.throughput else None,
    }


@dataclass(frozen=True, slots=True)
class RunPoint:
    """One run of a workload; `value` is the figure that is drawn, in its unit."""

    run: WorkloadRun
    latency: Metric | None
    throughput: Metric | None
    value: float | None
    low: float | None
    high: float | None
    left_out: str  # why it does not count; empty: it does

    @property
    def at(self) -> datetime:
        return self.run.started_at

    @property
    def state(self) -> State:
        return state(self.run.run.status)


def history_of(workload: Workload, figure: str, component: str = "", branch: str = "") -> list[RunPoint]:
    """Return the last runs of a workload, newest first, with one figure of each, in two queries."""
    runs = WorkloadRun.objects.filter(workload=workload).for_list().defer("spec", "progress")
    if component:
        runs = runs.filter(component__name=component)
    if branch:
        runs = runs.filter(run__branch=branch)
    listed = list(runs.order_by("-started_at", "-run_id")[:HISTORY])
    figures = figures_of(listed, ["latency", TIME, "throughput", "error_share"])
    return [_point(run, figures, figure) for run in listed]


def _point(run: WorkloadRun, figures: dict[tuple[Any, str], Metric], figure: str) -> RunPoint:
    name, _, part = figure.partition(".")
    metric = figures.get((run.pk, name))
    low, high = interval_of(metric, part)
    return RunPoint(
        run,
        _main(figures, run),
        figures.get((run.pk, "throughput")),
        getattr(metric, part or "value") if metric else None,
        low,
        high,
        left_out(run),
    )


def interval_of(metric: Metric | None, part: str) -> tuple[float | None, float | None]:
    """The 95 % interval of a figure, or of one of its quantiles."""
    if metric is None:
        return None, None
    if not part:
        return metric.low, metric.high
    low, high = metric.intervals.get(part) or (None, None)
    return low, high


def left_out(run: WorkloadRun) -> str:
    """Why a run does not stand in the series of its workload; empty: it does."""
    if run.run.is_running:
        return "still going"
    if run.run.excluded_at:
        return f"left out: {run.run.excluded_reason}"
    if run.generator_limit:
        return "the generator was the limit"
    if run.stopped_early:
        return "ended early"
    if run.run.status not in ("passed", "failed"):
        return f"ended as {run.run.status}"
    return "" if run.summarized_at else "not measured"


def plain_point(point: RunPoint) -> dict[str, Any]:
    """A run for a file: snake_case, seconds."""
    run, latency = point.run, point.latency
    return {
        "test_run_id": run.run.test_run_id,
        "component": run.component.name if run.component else None,
        "status": run.run.status,
        "started_at": run.started_at,
        "branch": run.run.branch,
        "commit_sha": run.run.commit_sha,
        "requests": run.requests,
        "errors": run.errors,
        **{name: getattr(latency, name) if latency else None for name in ("p50", "p95", "p99")},
        "throughput": point.throughput.value if point.throughput else None,
        "left_out": point.left_out,
    }


def open_changes(project: Project, most: int = 20) -> list[ChangePoint]:
    """Return the alarms that nobody has decided on, newest first."""
    found = ChangePoint.objects.open_alarms().filter(workload__project=project)
    return list(found.select_related("workload", "component", "first_run__run")[:most])


def tracks_of(project: Project, most: int = 10) -> list[TrackRun]:
    """Return the latest runs of the whole track."""
    return list(TrackRun.objects.filter(project=project).select_related("workload", "project")[:most])
