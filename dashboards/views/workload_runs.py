"""One workload run, live; two side by side."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from access import audit
from access.models import Role
from access.permissions import requires
from dashboards import resources, workload_run_page
from dashboards.charts.load import components_figure, ladder_figure, load_figure
from dashboards.charts.resources import resources_figure
from dashboards.downloads import FORMATS, download
from dashboards.finders import find_workload_run
from dashboards.rendering import page
from dashboards.states import state
from dashboards.views.actions import action
from dashboards.workload_evidence import evidence_of
from performance import baselines
from performance import tasks as load_tasks
from performance.judging import judge_sides
from performance.models import WorkloadRun
from tracking import lifecycle

EVERY = 1.0  # seconds between two looks at a load that is going
COMPARED = [
    *(
        "metric",
        "request",
        "unit",
        "before",
        "after",
        "ratio",
        "low",
        "high",
        "p",
        "q",
        "smallest",
        "verdict",
    ),
    "reason",
]


@requires(Role.VIEWER, find=find_workload_run)
def workload_run(request: HttpRequest, found: Any) -> HttpResponse:
    """Show what the load did to the target, over time and in all; or hand out the figures as a file."""
    run: WorkloadRun = found.run
    shown = workload_run_page.load(run)
    form = request.GET.get("format", "")
    if form in FORMATS:
        rows = map(workload_run_page.plain, run.metrics.order_by("name", "request").defer("sketch"))
        name = f"{run.run.test_run_id}-figures"
        return download(rows, workload_run_page.COLUMNS, form=form, name=name)  # type: ignore[return-value]
    felt = resources.resources_of(run.run)
    context = {
        "project": found.project,
        "run": run,
        "shown": shown,
        "state": state(run.run.status),
        "facts": workload_run_page.facts_of(run),
        "sentence": workload_run_page.sentence(run, shown),
        "holds": list(map(evidence_of, shown.bottlenecks)),
        "over_time": _over_time(shown),
        "resources": felt,
        "resources_sentence": resources.sentence(felt),
        "resources_figure": resources_figure(felt, run.run.started_at, run.run.completed_at)
        if felt
        else None,
        "ladder": ladder_figure([(run.run.test_run_id, shown.ladder)]) if shown.ladder else None,
        "parts": components_figure(_parts(shown)) if shown.components else None,
    }
    waiting = run.run.is_running or run.summarized_at is None or run.analyzed_at is None
    refresh = EVERY if run.run.is_running else 3 if waiting and not run.tool else 0
    return page(request, "performance/run.html", context, refresh=refresh)


@requires(Role.REPORTER, find=find_workload_run)
@action(back="../")
def stop_workload(request: HttpRequest, found: Any) -> HttpResponse:
    """End a load at once; what was measured is kept."""
    run: WorkloadRun = found.run
    if lifecycle.request_cancel(run.run, by=str(request.user), now=timezone.now()):
        audit.record("workload.stop", actor=request.user, project=found.project, target=run)  # type: ignore[arg-type]
        load_tasks.wake(run.pk)
        messages.success(request, "The load is being stopped; what was measured is kept.")
    else:
        messages.info(request, "There is nothing to stop: the load has ended.")
    return redirect("workload_run", run.run.test_run_id)


@requires(Role.MAINTAINER, find=find_workload_run)
@action(back="../")
def make_baseline(request: HttpRequest, found: Any) -> HttpResponse:
    """Hold the next runs against this one."""
    run: WorkloadRun = found.run
    try:
        baselines.set_baseline(run, by=request.user, now=timezone.now())  # type: ignore[arg-type]
    except baselines.NotFit as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, f"{run} is the baseline of {run.workload} now.")
    return redirect("workload_run", run.run.test_run_id)


@requires(Role.VIEWER)
def compare_loads(request: HttpRequest) -> HttpResponse:
    """Two workload runs side by side: each figure with its ratio, interval and verdict."""
    project: Any = request.project  # type: ignore[attr-defined]
    runs = WorkloadRun.objects.of(project).for_list()
    base, head = (
        runs.filter(run__test_run_id=request.GET.get(name, "")).first() for name in ("base", "head")
    )
    context: dict[str, Any] = {
        "project": project,
        "base": base,
        "head": head,
        "missing": [
            name for name, run in (("base", base), ("head", head)) if request.GET.get(name) and run is None
        ],
        "recent": runs.exclude(run__status="running").order_by("-started_at")[:50],
    }
    if base is not None and head is not None:
        judged = judge_sides(base.workload, [base], [head], by_request=True)
        if request.GET.get("format") in FORMATS:
            rows = (one.as_json() for one in judged)
            return download(rows, COMPARED, form=request.GET["format"], name="comparison")  # type: ignore[return-value]
        ladders = [(run.run.test_run_id, workload_run_page.load(run).ladder) for run in (base, head)]
        context |= {
            "judged": judged,
            "sentence": workload_run_page.compared(base, head, judged),
            "ladder": ladder_figure(drawn) if (drawn := [one for one in ladders if one[1]]) else None,
        }
    return page(request, "performance/compare.html", context)


def _over_time(shown: workload_run_page.LoadPage) -> dict[str, Any] | None:
    if not shown.own:
        return None
    first = next(iter(shown.own.values()))
    return load_figure(first.times_list, {name: one.values_list for name, one in shown.own.items()})


def _parts(shown: workload_run_page.LoadPage) -> list[tuple[str, float]]:
    return [(name, one.mean) for name, one, _ in shown.components if one.mean is not None]
