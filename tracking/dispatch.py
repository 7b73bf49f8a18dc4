"""Send a run's workflows to CI, each of them once and in its time."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from tracking.ci import CIRefused, CIService, CIUnavailable
from tracking.models import TestRun, WorkflowRun
from tracking.tracker import note


def send_workflows(run: TestRun, *, ci: CIService, now: datetime) -> int:
    """Send what is due and has a place; return how many workflows went out.

    The row with its `dispatch_id` exists before its workflow does, and a service starts one
    dispatch_id once, so this is safe to repeat after a crash at any point.

    Raises:
        CIUnavailable: the service did not answer; what was not sent stays intended.
    """
    sent = 0
    for workflow in _with_a_place(run, now):
        workflow.run = run
        try:
            answer = ci.dispatch(workflow, now=now)
        except CIRefused as refusal:
            _refuse(workflow, str(refusal), now)
            continue
        except CIUnavailable:
            _tell(run, sent, now)
            raise
        accepted = WorkflowRun.objects.filter(pk=workflow.pk, dispatch_state="intended")
        accepted.update(
            dispatch_state="accepted",
            sent_at=now,
            repository_id=answer.repository_id,
            github_run_id=answer.github_run_id,
            url=answer.url,
        )
        sent += 1
    _tell(run, sent, now)
    return sent


def _with_a_place(run: TestRun, now: datetime) -> list[WorkflowRun]:
    """The due workflows, as many of each step as may be in flight at once."""
    due = list(run.workflow_runs.due(now).order_by("due_at", "position"))
    steps = run.plan.get("steps", [])
    if not due or not any(step["at_most"] for step in steps):
        return due
    flying = Counter(run.workflow_runs.in_flight().values_list("step", flat=True))
    chosen = []
    for workflow in due:
        limit = steps[workflow.step]["at_most"]
        if limit and flying[workflow.step] >= limit:
            continue
        flying[workflow.step] += 1
        chosen.append(workflow)
    return chosen


def _refuse(workflow: WorkflowRun, reason: str, now: datetime) -> None:
    row = WorkflowRun.objects.filter(pk=workflow.pk)
    row.update(dispatch_state="refused", conclusion="startup_failure", reason=reason)
    note(workflow.run, "refused", f"{workflow} was not taken: {reason}", now)


def _tell(run: TestRun, sent: int, now: datetime) -> None:
    if sent:
        note(run, "sent", f"Sent {sent} workflow{'s' if sent > 1 else ''} to {run.plan['service']}.", now)
