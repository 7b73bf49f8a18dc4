"""Definitions: what can be run, how it went lately, and starting it."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

from django.conf import settings
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone

from access import audit
from access.models import Project, Role
from access.permissions import requires
from dashboards.charts.trend import duration_figure, pass_rate_figure
from dashboards.forms import StartForm
from dashboards.rendering import page
from dashboards.run_list import rows_of
from dashboards.views.actions import action
from tracking import tasks, tracker
from tracking.history import days
from tracking.models import DayTiming, TestDefinition, TestRun
from tracking.plan import NotRunnable

DAYS = 90
RECENT = 10


@requires(Role.VIEWER)
def definitions(request: HttpRequest) -> HttpResponse:
    """List the definitions of the project, each with its latest run."""
    project: Any = request.project  # type: ignore[attr-defined]
    newest = TestRun.objects.filter(definition=OuterRef("pk")).newest_first()
    shown = TestDefinition.objects.in_project(project).annotate(
        latest_id=Subquery(newest.values("test_run_id")[:1]),
        latest_status=Subquery(newest.values("status")[:1]),
        latest_at=Subquery(newest.values("started_at")[:1]),
    )
    context = {"definitions": shown.prefetch_related("steps"), "project": project}
    return page(request, "definitions/list.html", context, refresh=10)


@requires(Role.VIEWER)
def definition(request: HttpRequest, name: str) -> HttpResponse:
    """Show what a run of it consists of, its trend, and the form to start one."""
    return _show(request, _find(request, name), StartForm(project=request.project))  # type: ignore[attr-defined]


@requires(Role.REPORTER)
@action(back="../")
def start(request: HttpRequest, name: str) -> HttpResponse:
    """Start a run of it, and lead to that run's page."""
    found = _find(request, name)
    form = StartForm(request.POST, project=found.project)
    if not form.is_valid():
        return _show(request, found, form, status=400)
    try:
        run = tracker.start_run(
            found,
            form.cleaned_data["environment"],
            triggered_by=str(request.user),
            now=timezone.now(),
            branch=form.cleaned_data["branch"],
            commit_sha=form.cleaned_data["commit"],
            commands_allowed=settings.ALLOW_LOCAL_COMMANDS,
        )
    except NotRunnable as problem:
        form.add_error(None, str(problem))
        return _show(request, found, form, status=400)
    audit.record("run.start", actor=request.user, project=found.project, target=run)  # type: ignore[arg-type]
    tasks.wake(run.pk)
    return redirect("run", run.test_run_id)


def _find(request: HttpRequest, name: str) -> TestDefinition:
    project: Project = request.project  # type: ignore[attr-defined]
    return get_object_or_404(TestDefinition.objects.select_related("project"), project=project, name=name)


def _show(request: HttpRequest, found: TestDefinition, form: StartForm, status: int = 200) -> HttpResponse:
    now = timezone.now()
    today = now.astimezone(UTC).date()
    first = today - timedelta(days=DAYS - 1)
    kept = DayTiming.objects.filter(definition=found, day__gte=first)
    trend = days(kept.defer("queue_sketch", "execution_sketch", "total_sketch"), first, today, durations=True)
    recent = (
        TestRun.objects.filter(definition=found).newest_first().for_list().defer("plan", "metadata")[:RECENT]
    )
    rows = rows_of(recent)
    if rows:
        form.initial.setdefault("environment", rows[0].run.environment.name)
    context = {
        "definition": found,
        "project": found.project,
        "steps": list(found.steps.all()),
        "form": form,
        "trend": [day for day in reversed(trend) if day.runs],
        "span": DAYS,
        "pass_rate": pass_rate_figure(trend),
        "durations": duration_figure(trend),
        "rows": rows,
        "now": now,
    }
    # A refused form has the address of an action, which shows nothing to whoever asks again.
    refresh = 0 if status != 200 else 3 if any(row.run.is_running for row in rows) else 10
    return page(request, "definitions/detail.html", context, refresh=refresh, status=status)
