"""Two runs side by side, and the report of one as a file."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone

from access.models import Role
from access.permissions import requires
from dashboards.charts.comparison import distributions_figure
from dashboards.downloads import FORMATS, download
from dashboards.finders import find_run
from dashboards.rendering import page
from executions.comparison import compare_results
from tracking.comparison import compare_runs
from tracking.models import TestRun, WorkflowAttempt
from tracking.run_report import report_data

COLUMNS = ["name", "base", "head", "difference", "ratio", "low", "high", "verdict", "reason"]
RECENT = 50


@requires(Role.VIEWER)
def compare(request: HttpRequest) -> HttpResponse:
    """Say whether the second run was slower, by how much, how sure that is, and what is to blame."""
    project: Any = request.project  # type: ignore[attr-defined]
    runs = TestRun.objects.in_project(project).select_related("definition", "environment", "rerun_of")
    base, head = (runs.filter(test_run_id=request.GET.get(name, "")).first() for name in ("base", "head"))
    context: dict[str, Any] = {
        "project": project,
        "base": base,
        "head": head,
        "missing": [
            name for name, run in (("base", base), ("head", head)) if request.GET.get(name) and run is None
        ],
        "recent": runs.ended().newest_first()[:RECENT],
    }
    if base is not None and head is not None:
        found = compare_runs(base, head)
        if request.GET.get("format") in FORMATS:
            rows = ({name: getattr(part, name) for name in COLUMNS} for part in found.parts.values())
            return download(rows, COLUMNS, form=request.GET["format"], name="comparison")  # type: ignore[return-value]
        tests = compare_results(base, head)
        context |= {
            "found": found,
            "tests": tests,
            "lists": [
                (title, getattr(tests, name)[:100], len(getattr(tests, name)))
                for title, name in LISTS
                if getattr(tests, name)
            ],
            "figure": distributions_figure([(run.test_run_id, list(_totals(run))) for run in (base, head)]),
        }
    return page(request, "runs/compare.html", context)


LISTS = [
    ("Newly failing", "newly_failing"),
    ("New and failing", "added_failing"),
    ("Fixed", "fixed"),
    ("Slower", "slower"),
    ("Faster", "faster"),
    ("Added", "added"),
    ("Removed", "removed"),
]


@requires(Role.VIEWER, find=find_run)
def report(request: HttpRequest, run: TestRun) -> HttpResponse:
    """Hand out the report of a run as one self-contained file."""
    data = report_data(run, now=timezone.now())
    answer = HttpResponse(render_to_string("reports/run.html", {"report": data}))
    answer["Content-Disposition"] = f'attachment; filename="{run.test_run_id}.html"'
    return answer


def _totals(run: TestRun) -> Any:
    attempts = WorkflowAttempt.objects.filter(workflow__run=run).newest().timed()
    return attempts.values_list("queue", "execution")
