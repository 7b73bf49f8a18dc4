"""What people say of a run on its page: a note, kept forever, does not count."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from access.models import Role, User
from access.permissions import requires
from dashboards.finders import find_run
from dashboards.views.actions import action
from tracking import curation
from tracking.models import TestRun


@requires(Role.REPORTER, find=find_run)
@action(back="../")
def annotate(request: HttpRequest, run: TestRun) -> HttpResponse:
    """Keep a note with the run."""
    by = cast(User, request.user)
    if curation.annotate(run, request.POST.get("note", ""), by=by, now=timezone.now()):
        messages.success(request, "The note is kept.")
    return redirect("run", run.test_run_id)


@requires(Role.MAINTAINER, find=find_run)
@action(back="../")
def pin(request: HttpRequest, run: TestRun) -> HttpResponse:
    """Keep the run forever, or no longer."""
    pinned = request.POST.get("pinned") == "1"
    if curation.pin(run, pinned=pinned, by=cast(User, request.user), now=timezone.now()):
        messages.success(request, "The run is kept forever." if pinned else "The run is no longer pinned.")
    return redirect("run", run.test_run_id)


@requires(Role.MAINTAINER, find=find_run)
@action(back="../")
def exclude(request: HttpRequest, run: TestRun) -> HttpResponse:
    """Leave the run out of the statistics, for a reason."""
    by = cast(User, request.user)
    try:
        if curation.exclude(run, request.POST.get("reason", ""), by=by, now=timezone.now()):
            messages.success(request, "The run no longer counts in trends and expectations.")
    except ValueError as problem:
        messages.error(request, str(problem))
    return redirect("run", run.test_run_id)


@requires(Role.MAINTAINER, find=find_run)
@action(back="../")
def take_back(request: HttpRequest, run: TestRun) -> HttpResponse:
    """Let the run count again."""
    if curation.take_back(run, by=cast(User, request.user), now=timezone.now()):
        messages.success(request, "The run counts again.")
    return redirect("run", run.test_run_id)
