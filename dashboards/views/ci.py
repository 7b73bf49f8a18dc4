"""The CI page: workflow runs of all runs, queue and runners, calls and messages."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from access.models import Role
from access.permissions import requires
from dashboards import ci_page
from dashboards.charts.runners import hours_figure
from dashboards.downloads import FORMATS, LIMIT, download
from dashboards.filters import WorkflowFilter
from dashboards.paging import BadCursor, Page, page_of
from dashboards.rendering import page
from dashboards.states import workflow_state
from tracking.models import WorkflowRun

SIZE = 50


@requires(Role.VIEWER)
def ci(request: HttpRequest) -> HttpResponse:
    """Show how CI does for the project, and hand out its workflow runs."""
    project: Any = request.project  # type: ignore[attr-defined]
    now = timezone.now()
    listed = WorkflowRun.objects.filter(project=project).select_related("run", "run__environment")
    chosen = WorkflowFilter(request.GET, queryset=listed.prefetch_related("attempts").defer("run__plan"))
    form = request.GET.get("format", "")
    if form in FORMATS and chosen.is_valid():
        rows = ci_page.stream(chosen.qs.order_by("-id"), LIMIT)
        return download(rows, ci_page.COLUMNS, form=form, name="workflow_runs")  # type: ignore[return-value]
    problems = []
    try:
        found = page_of(chosen.qs, ci_page.ORDER, request.GET.get("cursor", ""), SIZE)
    except BadCursor as problem:
        problems.append(str(problem))
        found = Page([], "", "")
    runners, hours = ci_page.runner_rows(project, now)
    busy = ci_page.hours_figure_rows(hours)
    waiting, oldest = ci_page.waiting(project)
    received, failed = ci_page.deliveries(project, now)
    context = {
        "project": project,
        "now": now,
        "filter": chosen,
        "found": found,
        "rows": [(row, ci_page.latest(row), workflow_state(row, ci_page.latest(row))) for row in found.rows],
        "problems": problems,
        "runners": runners,
        "hours": busy,
        "hours_figure": hours_figure(busy) if busy else None,
        "waiting": waiting,
        "oldest": oldest,
        "calls": ci_page.calls(now),
        "received": received,
        "failed": failed,
        "days": ci_page.DAYS,
        "limit": LIMIT,
    }
    return page(request, "ci.html", context, refresh=10)
