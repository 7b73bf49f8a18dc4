"""The list of runs."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from access.models import Role
from access.permissions import requires
from dashboards.downloads import FORMATS, LIMIT, download
from dashboards.filters import RunFilter
from dashboards.paging import BadCursor, Page, page_of
from dashboards.rendering import page
from dashboards.run_list import COLUMNS, DEFAULT_ORDER, ORDERS, ordered, rows_of, stream
from tracking.models import TestRun

SIZE = 50


@requires(Role.VIEWER)
def runs(request: HttpRequest) -> HttpResponse:
    """Show or hand out the runs of the project, narrowed and sorted as the URL says."""
    project: Any = request.project  # type: ignore[attr-defined]
    listed = TestRun.objects.in_project(project).for_list().defer("plan", "metadata")
    chosen = RunFilter(request.GET, project=project, queryset=listed)
    sort = request.GET.get("sort", DEFAULT_ORDER)
    form = request.GET.get("format", "")
    problems = [] if sort in ORDERS else [f"There is no order {sort!r}; the newest come first."]
    if form in FORMATS:
        return _file(chosen, sort, form)
    rows, order = ordered(chosen.qs if chosen.is_valid() else listed.none(), sort)
    try:
        found = page_of(rows, order, request.GET.get("cursor", ""), SIZE)
    except BadCursor as problem:
        problems.append(str(problem))
        found = Page([], "", "")
    context = {
        "project": project,
        "filter": chosen,
        "found": found,
        "rows": rows_of(found.rows),
        "sort": sort,
        "problems": problems,
        "limit": LIMIT,
        "now": timezone.now(),
    }
    return page(
        request, "runs/list.html", context, refresh=3 if any(r.is_running for r in found.rows) else 10
    )


def _file(chosen: RunFilter, sort: str, form: str) -> HttpResponse:
    if not chosen.is_valid():
        lines = [f"{name}: {' '.join(map(str, faults))}" for name, faults in chosen.form.errors.items()]
        return HttpResponse("\n".join(lines) + "\n", status=400, content_type="text/plain; charset=utf-8")
    rows, order = ordered(chosen.qs, sort)
    columns = [("-" if descending else "") + name for name, descending in order.columns]
    return download(stream(rows.order_by(*columns), LIMIT), COLUMNS, form=form, name="runs")  # type: ignore[return-value]
