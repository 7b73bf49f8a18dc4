"""Two branches or spaces, by the latest result of each test."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from access.models import Role
from access.permissions import requires
from dashboards.compare_page import LISTS
from dashboards.downloads import FORMATS, LIMIT, download
from dashboards.rendering import page
from executions.comparison import ResultComparison
from executions.sides import Side, compare_sides
from tracking.models import Space, TestRun

WINDOWS = (1, 7, 14, 30, 90)
COLUMNS = ["change", "nodeid", "suite", "base", "head", "base_duration", "head_duration"]
SHOWN = 100


@requires(Role.VIEWER)
def branches(request: HttpRequest) -> HttpResponse:
    """Say which tests a branch breaks, fixes, adds, removes or slows down."""
    project: Any = request.project  # type: ignore[attr-defined]
    days = request.GET.get("window", "")
    window = int(days) if days in map(str, WINDOWS) else 14
    base, head = _side(request, "base"), _side(request, "head")
    now = timezone.now()
    context: dict[str, Any] = {
        "project": project,
        "base": base,
        "head": head,
        "spaces": Space.values,
        "window": window,
        "windows": WINDOWS,
        "choices": _recent_branches(project, now - timedelta(days=window)),
    }
    if base != head:
        found = compare_sides(project, base, head, since=now - timedelta(days=window))
        if request.GET.get("format") in FORMATS:
            rows = _rows(found.tests)
            return download(rows, COLUMNS, form=request.GET["format"], name="branches")  # type: ignore[return-value]
        lists = [(title, getattr(found.tests, name)) for title, name in LISTS]
        context |= {
            "found": found,
            "lists": [(title, rows[:SHOWN], len(rows)) for title, rows in lists if rows],
            "failing": len(found.tests.newly_failing) + len(found.tests.added_failing),
        }
    return page(request, "tests/branches.html", context)


def _side(request: HttpRequest, name: str) -> Side:
    space = request.GET.get(f"{name}_space", "")
    branch = request.GET.get(f"{name}_branch", "").replace("\x00", "").strip()[:255]
    return Side(branch, space if space in Space.values else "")


def _rows(tests: ResultComparison) -> Iterator[dict[str, Any]]:
    left = LIMIT
    for _, name in LISTS:
        for change in getattr(tests, name)[:left]:
            left -= 1
            yield {"change": name, **{column: getattr(change, column) for column in COLUMNS[1:]}}


def _recent_branches(project: Any, since: Any) -> list[str]:
    """The branches of the last runs, for the fields to offer."""
    runs = TestRun.objects.filter(project=project, started_at__gte=since).newest_first()[:300]
    return list(dict.fromkeys(filter(None, runs.values_list("branch", flat=True))))[:50]
