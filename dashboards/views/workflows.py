"""One workflow of a run: every attempt and job with its raw stamps, and what it wrote."""

from __future__ import annotations

from pathlib import Path

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.utils import timezone

from access.models import Role
from access.permissions import requires
from dashboards.finders import WorkflowOfRun, find_workflow
from dashboards.output import tail
from dashboards.rendering import page
from dashboards.states import job_state, workflow_state
from tracking import ci
from tracking.models import WorkflowRun
from tracking.timing import METHODS, QUALITIES


@requires(Role.VIEWER, find=find_workflow)
def workflow(request: HttpRequest, found: WorkflowOfRun) -> HttpResponse:
    """Show the workflow, its latest attempt first."""
    shown = found.workflow
    attempts = list(shown.attempts.prefetch_related("jobs").order_by("-number")[:50])
    latest = next((attempt for attempt in attempts if attempt.number == shown.attempt), None)
    context = {
        "workflow": shown,
        "run": found.run,
        "project": found.project,
        "state": workflow_state(shown, latest),
        "attempts": [
            (
                attempt,
                job_state(attempt.status, attempt.conclusion),
                [(job, job_state(job.status, job.conclusion)) for job in attempt.jobs.all()],
            )
            for attempt in attempts
        ],
        "latest": latest,
        "method": METHODS.get(latest.method, latest.method) if latest else "",
        "quality": QUALITIES.get(latest.quality, latest.quality) if latest else "",
        "output": tail(_file(shown)),
        "now": timezone.now(),
    }
    return page(request, "runs/workflow.html", context, refresh=1.5 if shown.is_open else 0)


@requires(Role.VIEWER, find=find_workflow)
def output(request: HttpRequest, found: WorkflowOfRun) -> FileResponse:
    """Hand out the whole output as plain text."""
    path = _file(found.workflow)
    if path is None or not path.is_file():
        raise Http404("This workflow has no output on this machine.")
    name = f"{found.run.test_run_id}-{found.workflow.position}.log"
    return FileResponse(
        path.open("rb"), as_attachment=True, filename=name, content_type="text/plain; charset=utf-8"
    )


def _file(workflow: WorkflowRun) -> Path | None:
    try:
        return ci.connect(workflow.service, workflow.run.project).output(workflow)
    except (ci.CIUnavailable, ci.CIRefused):
        return None
