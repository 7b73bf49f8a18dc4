"""The whole track: started, watched phase by phase, cancelled, handed out as one file."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from access.models import Project, Role
from access.permissions import requires
from dashboards import track_page
from dashboards.finders import find_track
from dashboards.load_forms import TrackForm
from dashboards.rendering import page
from dashboards.states import state
from dashboards.views.actions import action
from performance import tasks
from performance.report import track_report as whole_report
from performance.specification import FaultySpec
from performance.track import start_track as begin_track
from performance.track_ends import cancel_track as end_track
from performance.trigger import NotRunnable

EVERY = 2.0  # seconds between two looks at a track that goes on


@requires(Role.VIEWER, find=find_track)
def track(request: HttpRequest, found: Any) -> HttpResponse:
    """The whole track: each phase with its result, or how far it is."""
    context = {
        "project": found.project,
        "track": found.track,
        "state": state(found.track.status),
        "sentence": track_page.sentence(found.track),
        "phases": track_page.phases(found.track),
        "load": track_page.load_going_on(found.track),
    }
    return page(request, "performance/track.html", context, refresh=EVERY if found.track.is_running else 0)


@requires(Role.REPORTER)
@action(back="/performance/")
def start_track(request: HttpRequest) -> HttpResponse:
    """Hand a track to a worker, and lead to its page."""
    project: Project = request.project  # type: ignore[attr-defined]
    form = TrackForm(request.POST, project=project)
    if not form.is_valid():
        messages.error(request, " ".join(str(text) for faults in form.errors.values() for text in faults))
        return redirect("performance")
    try:
        made = begin_track(
            form.cleaned_data["workload"],
            by=request.user,  # type: ignore[arg-type]
            rounds=form.cleaned_data["rounds"],
            now=timezone.now(),
        )
    except (FaultySpec, NotRunnable) as problem:
        messages.error(request, str(problem))
        return redirect("performance")
    tasks.wake_track(made.pk)
    return redirect("track", made.pk)


@requires(Role.REPORTER, find=find_track)
@action(back="../")
def cancel_track(request: HttpRequest, found: Any) -> HttpResponse:
    """End the load that goes on and skip what is left."""
    if end_track(found.track, by=request.user, now=timezone.now()):  # type: ignore[arg-type]
        messages.success(request, "The track is being cancelled; what was measured is kept.")
    else:
        messages.info(request, "There is nothing to cancel: it has ended, or somebody asked before.")
    return redirect("track", found.track.pk)


@requires(Role.VIEWER, find=find_track)
def track_report(request: HttpRequest, found: Any) -> HttpResponse:
    """Hand out the track as one self-contained file."""
    answer = HttpResponse(whole_report(found.track, now=timezone.now()))
    name = f"performance-track-{found.track.started_at:%Y-%m-%d}.html"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
