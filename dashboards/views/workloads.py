"""Workloads: what load can be put on a system, how it went over time, and what is to be decided."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone

from access import audit
from access.models import Project, Role
from access.permissions import requires
from analysis.wording import count
from dashboards import workload_pages
from dashboards.charts.workload import Level, Point, trend_figure
from dashboards.downloads import FORMATS, download
from dashboards.finders import find_change
from dashboards.load_forms import DecisionForm, LoadForm
from dashboards.load_words import load_in_words
from dashboards.rendering import page
from dashboards.views.actions import action
from performance import changes, tasks, trigger
from performance.foresight import power_before
from performance.models import ChangePoint, Workload
from performance.readings import TIME
from performance.track import ROUNDS

DRAWN = "latency.p95"


@requires(Role.VIEWER)
def performance(request: HttpRequest) -> HttpResponse:
    """List the workloads of the project and what is open about them."""
    project: Any = request.project  # type: ignore[attr-defined]
    rows = workload_pages.rows_of(project)
    form = request.GET.get("format", "")
    if form in FORMATS:
        return download(map(workload_pages.plain, rows), workload_pages.COLUMNS, form=form, name="workloads")  # type: ignore[return-value]
    alarms = workload_pages.open_changes(project)
    going = [row for row in rows if row.last and row.last.run.is_running]
    context = {
        "project": project,
        "rows": rows,
        "alarms": alarms,
        "tracks": workload_pages.tracks_of(project),
        "startable": [row.workload for row in rows if row.workload.target and not row.workload.is_archived],
        "rounds": ROUNDS,
        "sentence": _sentence(rows, alarms, going),
    }
    return page(request, "performance/list.html", context, refresh=3 if going else 15)


@requires(Role.VIEWER)
def workload(request: HttpRequest, name: str) -> HttpResponse:
    """Show a workload over time, what changed, what was tried, and the form to start it."""
    found = _find(request, name)
    return _show(request, found, LoadForm(workload=found))


@requires(Role.REPORTER)
@action(back="../")
def start_workload(request: HttpRequest, name: str) -> HttpResponse:
    """Put the load on, and lead to the page of that run."""
    found = _find(request, name)
    form = LoadForm(request.POST, workload=found)
    if not form.is_valid():
        return _show(request, found, form, status=400)
    try:
        run = trigger.start_workload_run(
            found,
            triggered_by=str(request.user),
            now=timezone.now(),
            component=form.cleaned_data["component"],
            branch=form.cleaned_data["branch"],
            commit_sha=form.cleaned_data["commit"],
        )
    except (trigger.FaultySpec, trigger.NotRunnable) as problem:
        form.add_error(None, str(problem))
        return _show(request, found, form, status=400)
    audit.record("workload.start", actor=request.user, project=found.project, target=run)  # type: ignore[arg-type]
    tasks.wake(run.pk)
    return redirect("workload_run", run.run.test_run_id)


@requires(Role.MAINTAINER, find=find_change)
@action(back="/performance/")
def decide(request: HttpRequest, found: Any) -> HttpResponse:
    """Accept an alarm, tie it to a commit, or dismiss it."""
    change: ChangePoint = found.change
    form = DecisionForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(str(text) for faults in form.errors.values() for text in faults))
    else:
        try:
            _decide(change, form.cleaned_data, by=request.user)
        except ValueError as problem:
            messages.error(request, str(problem))
        else:
            messages.success(request, f"The change is {form.cleaned_data['state']}.")
    return redirect("workload", change.workload.name)


def _decide(change: ChangePoint, decided: dict[str, Any], *, by: Any) -> None:
    now = timezone.now()
    if decided["state"] == ChangePoint.State.ACCEPTED:
        changes.accept(change, by=by, now=now, note=decided["note"], commit_sha=decided["commit"])
    elif decided["state"] == ChangePoint.State.DISMISSED:
        changes.dismiss(change, by=by, now=now, note=decided["note"])
    else:
        changes.reopen(change, by=by, now=now)


def _find(request: HttpRequest, name: str) -> Workload:
    project: Project = request.project  # type: ignore[attr-defined]
    workloads = Workload.objects.of(project).select_related("project", "environment", "definition")
    return get_object_or_404(workloads, name=name)


def _show(request: HttpRequest, found: Workload, form: LoadForm, status: int = 200) -> HttpResponse:
    component, branch = request.GET.get("component", ""), request.GET.get("branch", "")
    figure, points = _points(request, found, component, branch)
    wanted = request.GET.get("format", "")
    if wanted in FORMATS:
        rows = map(workload_pages.plain_point, points)
        return download(rows, workload_pages.RUN_COLUMNS, form=wanted, name=f"{found.name}-runs")  # type: ignore[return-value]
    found_changes = list(found.change_points.select_related("first_run__run", "component")[:50])
    word, unit, _ = workload_pages.FIGURES[figure]
    going = any(point.run.run.is_running for point in points)
    context = {
        "project": found.project,
        "workload": found,
        "form": form,
        "points": points,
        "changes": found_changes,
        "components": list(found.components.all()),
        "optimizations": list(found.optimizations.all()[:20]),
        "comparisons": list(found.comparisons.prefetch_related("components")[:10]),
        "baselines": list(found.baselines.select_related("run__run", "component")),
        "figures": workload_pages.FIGURES,
        "figure_name": figure,
        "figure_word": word,
        "component": component,
        "branch": branch,
        "load": load_in_words(found.spec),
        "power": power_before(found).sentence,
        "figure": _figure(points, found_changes, figure, unit),
    }
    return page(
        request,
        "performance/workload.html",
        context,
        refresh=0 if status != 200 else 3 if going else 15,
        status=status,
    )


def _points(
    request: HttpRequest, found: Workload, component: str, branch: str
) -> tuple[str, list[workload_pages.RunPoint]]:
    """The figure that is drawn and its runs; where none is asked for, the first that the runs have."""
    asked = request.GET.get("figure", "")
    figure = asked if asked in workload_pages.FIGURES else DRAWN
    points = workload_pages.history_of(found, figure, component, branch)
    if not asked and points and all(point.value is None for point in points):
        figure = TIME  # a benchmark's runs have no latency
        points = workload_pages.history_of(found, figure, component, branch)
    return figure, points


def _figure(
    points: list[workload_pages.RunPoint], found: list[ChangePoint], figure: str, unit: str
) -> dict[str, Any]:
    drawn = [
        Point(point.at, point.run.run.test_run_id, point.value, point.low, point.high, not point.left_out)
        for point in reversed(points)
        if point.value is not None
    ]
    levels = [
        Level(one.first_run.started_at, f"{one.ratio:.2f} ×", one.is_worse)
        for one in found
        if one.metric == figure and one.state != ChangePoint.State.DISMISSED
    ]
    return trend_figure(drawn, levels, unit=unit)


def _sentence(rows: list[Any], alarms: list[ChangePoint], going: list[Any]) -> str:
    if not rows:
        return "No load is described yet."
    worse = sum(one.is_worse for one in alarms)
    told = f"{count(worse, 'alarm')} open" if worse else "Nothing got worse that is not decided on"
    running = f"{count(len(going), 'load')} running now" if going else "no load is running"
    return f"{told}; {running}; {count(len(rows), 'workload')}."
