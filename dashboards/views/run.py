"""One run, live; and what can be done with it."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from access import audit
from access.models import Role
from access.permissions import requires
from dashboards import case_pages, resources, run_page, sentences, timeline
from dashboards.charts.resources import resources_figure
from dashboards.charts.timing import timing_figure
from dashboards.downloads import FORMATS, LIMIT, download
from dashboards.finders import find_run
from dashboards.rendering import page
from dashboards.states import state
from dashboards.views.actions import action
from tracking import lifecycle, tasks, tracker, tracking_file
from tracking.models import TestRun
from tracking.plan import NotRunnable

EVERY = 1.5  # seconds between two looks at a run that is going


@requires(Role.VIEWER, find=find_run)
def run(request: HttpRequest, run: TestRun) -> HttpResponse:
    """Show where the run is and where its time went; or hand out its workflows as a file."""
    now = timezone.now()
    form = request.GET.get("format", "")
    failed_first = request.GET.get("order") != "position"
    if form in FORMATS:
        lines = run_page.load(run, now, failed_first=False, most=LIMIT).timeline.lines
        name = f"{run.test_run_id}-workflows"
        return download(map(timeline.plain, lines), timeline.COLUMNS, form=form, name=name)  # type: ignore[return-value]
    shown = run_page.load(run, now, failed_first=failed_first)
    machines = resources.resources_of(run)
    context = {
        "results": case_pages.results_of(run),
        "shown": shown,
        "run": run,
        "project": run.project,
        "state": state(run.status),
        "failed_first": failed_first,
        "sentence": sentences.run(run, shown.times, shown.timeline.lines, shown.progress, shown.left),
        "figure": timing_figure(shown.timeline.lines),
        "resources": machines,
        "resources_sentence": resources.sentence(machines),
        "resources_figure": resources_figure(machines, run.started_at, run.completed_at) if machines else {},
        "tracking": tracking_file.content(run, now),
        "now": now,
    }
    return page(request, "runs/detail.html", context, refresh=EVERY if run.is_running else 0)


@requires(Role.VIEWER, find=find_run)
def series(request: HttpRequest, run: TestRun) -> HttpResponse:
    """Hand out how the machines felt during the run: each value, or the figures of each series."""
    form, machines = request.GET.get("format", "csv"), resources.resources_of(run)
    if form not in FORMATS:
        return HttpResponse(
            f"format must be one of {', '.join(FORMATS)}.\n", status=400, content_type="text/plain"
        )
    if request.GET.get("table") == "figures":
        lines, columns, what = resources.plain(machines), resources.COLUMNS, "machines"
    else:
        lines, columns, what = resources.values(machines, run.started_at), resources.VALUE_COLUMNS, "series"
    return download(lines, columns, form=form, name=f"{run.test_run_id}-{what}")  # type: ignore[return-value]


@requires(Role.VIEWER, find=find_run)
def tracking(request: HttpRequest, run: TestRun) -> HttpResponse:
    """Hand out the run's tracking file: its exact bytes, or what would be in it where it was not written."""
    path = tracking_file.path_of(run, settings.DATA)
    try:
        content = path.read_bytes()
    except OSError:
        content = tracking_file.content(run, timezone.now()).encode()
    response = HttpResponse(content, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="{run.test_run_id}.json"'
    return response


@requires(Role.REPORTER, find=find_run)
@action(back="../")
def cancel(request: HttpRequest, run: TestRun) -> HttpResponse:
    """End a run that is going, its workflows too."""
    if lifecycle.request_cancel(run, by=str(request.user), now=timezone.now()):
        audit.record("run.cancel", actor=request.user, project=run.project, target=run)  # type: ignore[arg-type]
        tasks.wake(run.pk)
        messages.success(request, "The run is being cancelled; its jobs end in a moment.")
    else:
        messages.info(
            request, "There is nothing to cancel: the run has ended, or is being cancelled already."
        )
    return redirect("run", run.test_run_id)


@requires(Role.REPORTER, find=find_run)
@action(back="../")
def rerun(request: HttpRequest, run: TestRun) -> HttpResponse:
    """Start exactly this run again."""
    try:
        again = tracker.rerun(run, triggered_by=str(request.user), now=timezone.now())
    except NotRunnable as problem:
        messages.error(request, str(problem))
        return redirect("run", run.test_run_id)
    audit.record("run.rerun", actor=request.user, project=run.project, target=again, rerun_of=run.test_run_id)  # type: ignore[arg-type]
    tasks.wake(again.pk)
    messages.success(request, f"Started again from {run}.")
    return redirect("run", again.test_run_id)
