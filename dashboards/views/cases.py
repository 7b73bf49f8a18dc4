"""Tests: the list, one of them, the flaky ones, a desk against CI, and what came in."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from access.models import Role
from access.permissions import requires
from dashboards import case_pages
from dashboards.charts.durations import durations_figure
from dashboards.downloads import FORMATS, LIMIT, download
from dashboards.finders import find_case
from dashboards.paging import BadCursor, Order, Page, page_of
from dashboards.rendering import page
from executions.flakiness import broken, fixed, rank_flaky
from executions.models import Report, TestCase
from tracking.models import Space

SIZE = 50
NEWEST = Order((("id", True),))
THRESHOLDS = (0, 1, 5, 10, 25)
UPLOADED = [
    *("id", "received_at", "status", "format", "name", "sent_by", "total", "failed", "error", "unplaced"),
    "reason",
]


@requires(Role.VIEWER)
def cases(request: HttpRequest) -> HttpResponse:
    """List the project's tests by name; any part of a name finds them."""
    project: Any = request.project  # type: ignore[attr-defined]
    text = request.GET.get("q", "").strip()[:200]
    listed = TestCase.objects.in_project(project).search(text)
    form = request.GET.get("format", "")
    if form in FORMATS:
        rows = case_pages.stream(listed.order_by("nodeid", "suite", "pk"), LIMIT)
        return download(rows, case_pages.COLUMNS, form=form, name="tests")  # type: ignore[return-value]
    found, problems = _paged(listed, case_pages.BY_NAME, request)
    context = {
        "project": project,
        "text": text,
        "found": found,
        "rows": case_pages.rows_of(found.rows),
        "problems": problems,
        "limit": LIMIT,
    }
    return page(request, "tests/list.html", context)


@requires(Role.VIEWER, find=find_case)
def case(request: HttpRequest, case: TestCase) -> HttpResponse:
    """Show one test: each time it ran, at desks and in CI, on one axis of time."""
    shown = case_pages.load(case)
    context = {
        "project": case.project,
        "case": case,
        "shown": shown,
        "figure": durations_figure(shown.points) if shown.has_durations else None,
        "now": timezone.now(),
    }
    return page(request, "tests/detail.html", context)


@requires(Role.VIEWER)
def flaky(request: HttpRequest) -> HttpResponse:
    """List tests that both pass and fail, the surest first, and the ones that are broken."""
    project: Any = request.project  # type: ignore[attr-defined]
    space = request.GET.get("space", "")
    space = space if space in Space.values else ""
    threshold = request.GET.get("threshold", "0")
    threshold = threshold if threshold in map(str, THRESHOLDS) else "0"
    found = rank_flaky(project, space=space, threshold=float(threshold))
    names = ("nodeid", "suite", "space", "kind", "runs", "failures", "judged", "flips", "failure_rate")
    if request.GET.get("format") in FORMATS:
        rows = ({name: getattr(one, name) for name in names} for one in found[:LIMIT])
        return download(rows, list(names), form=request.GET["format"], name="flaky")  # type: ignore[return-value]
    context = {
        "project": project,
        "space": space,
        "spaces": Space.values,
        "threshold": int(threshold),
        "thresholds": THRESHOLDS,
        "page": Paginator(found, SIZE).get_page(request.GET.get("page")),
        "broken": broken(project, space=space)[:SIZE],
        "fixed": fixed(project, space=space, most=SIZE),
    }
    return page(request, "tests/flaky.html", context)


@requires(Role.VIEWER)
def spaces(request: HttpRequest) -> HttpResponse:
    """Put desks beside CI, test by test."""
    project: Any = request.project  # type: ignore[attr-defined]
    rows = case_pages.spaces_rows(project)
    if request.GET.get("format") in FORMATS:
        columns = ["nodeid", "local_runs", "ci_runs", "local_failure_rate", "ci_failure_rate", "sure"]
        plain = (
            dict(
                zip(
                    columns,
                    (
                        *(one["row"].case.nodeid, one["row"].local.runs, one["row"].ci.runs),
                        *(one["row"].local.failure_rate, one["row"].ci.failure_rate, one["sure"]),
                    ),
                    strict=True,
                )
            )
            for one in rows
        )
        return download(plain, columns, form=request.GET["format"], name="spaces")  # type: ignore[return-value]
    return page(request, "tests/spaces.html", {"project": project, "rows": rows})


@requires(Role.VIEWER)
def uploads(request: HttpRequest) -> HttpResponse:
    """List what came in, from whom, and what was refused and why."""
    project: Any = request.project  # type: ignore[attr-defined]
    status = request.GET.get("status", "")
    listed = Report.objects.filter(project=project).select_related("run")
    if status in Report.Status.values:
        listed = listed.filter(status=status)
    found, problems = _paged(listed, NEWEST, request)
    if request.GET.get("format") in FORMATS:
        rows = listed.order_by("-id").values(*UPLOADED)[:LIMIT].iterator()
        return download(rows, UPLOADED, form=request.GET["format"], name="uploads")  # type: ignore[return-value]
    context = {
        "project": project,
        "found": found,
        "problems": problems,
        "status": status,
        "statuses": Report.Status.values,
    }
    return page(request, "tests/uploads.html", context, refresh=10)


def _paged(rows: Any, order: Order, request: HttpRequest) -> tuple[Page, list[str]]:
    try:
        return page_of(rows, order, request.GET.get("cursor", ""), SIZE), []
    except BadCursor as problem:
        return Page([], "", ""), [str(problem)]
