"""Schedules of the project: what runs by the clock, how it went last, and when it comes next."""

from __future__ import annotations

from typing import cast

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from access import audit
from access.models import Project, Role, User
from access.permissions import requires
from dashboards.finders import InProject, find_project, find_schedule
from dashboards.forms import ScheduleForm
from dashboards.rendering import page
from dashboards.views.actions import action
from tracking import scheduling, tasks
from tracking.models import Schedule
from tracking.plan import NotRunnable


@requires(Role.VIEWER, find=find_project)
def schedules(request: HttpRequest, found: InProject) -> HttpResponse:
    """List the schedules of the project."""
    return _show(request, found.project, ScheduleForm(project=found.project))


@requires(Role.MAINTAINER, find=find_project)
@action(back="../")
def add_schedule(request: HttpRequest, found: InProject) -> HttpResponse:
    """Make a schedule; it waits for its first time from now on."""
    form = ScheduleForm(request.POST, project=found.project)
    if not form.is_valid():
        return _show(request, found.project, form, status=400)
    schedule = form.save(commit=False)
    schedule.created_by = str(request.user)
    with transaction.atomic():  # one that waits for no time would never start
        schedule.save()
        scheduling.set_next(schedule, now=timezone.now())
        _record(request, "schedule.create", schedule)
    messages.success(request, f"{schedule} is kept from now on.")
    return redirect("schedules", slug=found.project.slug)


@requires(Role.MAINTAINER, find=find_schedule)
@action(back="../../")
def pause_schedule(request: HttpRequest, schedule: Schedule) -> HttpResponse:
    """Pause a schedule, or resume it with its next time."""
    schedule.enabled = request.POST.get("enabled") == "1"
    with transaction.atomic():  # else a scheduler would find a time of before the pause
        schedule.save(update_fields=["enabled"])
        if schedule.enabled:
            scheduling.set_next(schedule, now=timezone.now())
        _record(request, "schedule.resume" if schedule.enabled else "schedule.pause", schedule)
    messages.success(request, f"{schedule} is {'kept again' if schedule.enabled else 'paused'}.")
    return redirect("schedules", slug=schedule.project.slug)


@requires(Role.MAINTAINER, find=find_schedule)
@action(back="../../")
def remove_schedule(request: HttpRequest, schedule: Schedule) -> HttpResponse:
    """Remove a schedule; its runs stay."""
    _record(request, "schedule.remove", schedule)
    schedule.delete()
    messages.success(request, f"{schedule} was removed; its runs stay.")
    return redirect("schedules", slug=schedule.project.slug)


@requires(Role.REPORTER, find=find_schedule)
@action(back="../../")
def run_schedule(request: HttpRequest, schedule: Schedule) -> HttpResponse:
    """Start what is scheduled now, out of turn."""
    try:
        run = scheduling.run_now(
            schedule,
            by=str(request.user),
            now=timezone.now(),
            commands_allowed=settings.ALLOW_LOCAL_COMMANDS,
        )
    except NotRunnable as problem:
        messages.error(request, str(problem))
        return redirect("schedules", slug=schedule.project.slug)
    audit.record("run.start", actor=cast(User, request.user), project=schedule.project, target=run)
    tasks.wake(run.pk)
    return redirect("run", run.test_run_id)


def _record(request: HttpRequest, what: str, schedule: Schedule) -> None:
    audit.record(what, actor=cast(User, request.user), project=schedule.project, target=schedule)


def _show(request: HttpRequest, project: Project, form: ScheduleForm, status: int = 200) -> HttpResponse:
    context = {
        "project": project,
        "schedules": Schedule.objects.in_project(project).for_list(),
        "form": form,
    }
    return page(request, "schedules.html", context, status=status, refresh=0 if form.is_bound else 10)
