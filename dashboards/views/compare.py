"""Runs side by side, and the report of one as a file."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from access.models import Role
from access.permissions import requires
from dashboards.compare_page import TABLES, rows_of, show
from dashboards.downloads import FORMATS, download
from dashboards.finders import find_run
from dashboards.rendering import page
from tracking.comparison import MOST_HEADS, Comparisons, compare_many
from tracking.models import TestRun
from tracking.run_report import report_data, written

RECENT = 50


@requires(Role.VIEWER)
def compare(request: HttpRequest) -> HttpResponse:
    """Say whether the other runs were slower, by how much, how sure that is, and what is to blame."""
    project: Any = request.project  # type: ignore[attr-defined]
    runs = TestRun.objects.in_project(project).select_related("definition", "environment", "rerun_of")
    base_id = request.GET.get("base", "").strip()
    head_ids = list(dict.fromkeys(filter(None, (one.strip() for one in request.GET.getlist("head")))))
    wanted = [base_id, *head_ids[:MOST_HEADS]]
    known = runs.by_name(filter(None, wanted))
    context: dict[str, Any] = {
        "project": project,
        "base_id": base_id,
        "head_ids": head_ids[:MOST_HEADS] + [""] * (len(head_ids) < MOST_HEADS),
        "missing": [
            ("base" if at == 0 else "head", name)
            for at, name in enumerate(wanted)
            if name and name not in known
        ],
        "too_many": len(head_ids) > MOST_HEADS and MOST_HEADS,
        "recent": runs.ended().newest_first()[:RECENT],
    }
    base = known.get(base_id)
    heads = [known[name] for name in head_ids[:MOST_HEADS] if name in known]
    if base is not None and heads:
        found = compare_many(base, heads)
        if request.GET.get("format") in FORMATS:
            return _file(request, found)
        context["shown"] = show(found, now=timezone.now())
    return page(request, "runs/compare.html", context)


def _file(request: HttpRequest, found: Comparisons) -> Any:
    named = request.GET.get("table", "")
    table = named if named in TABLES else TABLES[0]
    columns, rows = rows_of(table, found, now=timezone.now())
    return download(rows, columns, form=request.GET["format"], name=f"comparison-{table}")


@requires(Role.VIEWER, find=find_run)
def report(request: HttpRequest, run: TestRun) -> HttpResponse:
    """Hand out the report of a run as one self-contained file."""
    data = report_data(run, now=timezone.now())
    answer = HttpResponse(written(data, "html"))
    answer["Content-Disposition"] = f'attachment; filename="{run.test_run_id}.html"'
    return answer
