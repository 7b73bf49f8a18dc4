"""Send a run's workflows to CI, each of them once and in its time.

Intent, request, outcome: the row says `sending` before the request goes out and what came of it
afterwards.  A crash or a lost answer leaves a row to look for; it is sent again only when the
service has shown long enough that it does not have it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime

from analysis.wording import count
from tracking.ci import CILost, CIRefused, CIService, CIUnavailable, Seen, Sent
from tracking.models import TestRun, WorkflowRun
from tracking.tracker import note

AT_ONCE = 5  # workflows sent before the lease is renewed: GitHub wants a second between two


def send_workflows(run: TestRun, *, ci: CIService, now: datetime, renew: Callable[[], bool]) -> int:
    """Send what is due and has a place; return how many workflows went out.

    Only the holder of the run's lease may call it; `renew` keeps the lease, and says whether it is held.

    Raises:
        CIUnavailable: the service did not answer; what was not sent stays intended.
    """
    _own_up(run, now)
    sent = 0
    try:
        for number, workflow in enumerate(_with_a_place(run, now), start=1):
            if number % AT_ONCE == 0 and not renew():
                break
            workflow.run = run
            sent += _send(workflow, ci=ci, now=now)
    finally:
        _tell(run, sent, now)
    return sent


def settle_lost(run: TestRun, seen: Seen, *, ci: CIService, now: datetime) -> int:
    """Decide about workflows that should have turned up by now; return how many were decided.

    `seen` is what the service has just told.  A workflow whose answer was lost is sent again; one
    that was accepted and never appeared is given up.
    """
    if seen.listed_at is None:
        return 0
    decided = 0
    for workflow in run.workflow_runs.not_found().filter(sent_at__lte=seen.listed_at - ci.resend_after):
        waited = f"{ci.resend_after.total_seconds():.0f} s"
        row = WorkflowRun.objects.not_found().filter(pk=workflow.pk)
        if workflow.dispatch_state == "accepted":
            reason = f"{workflow.service} accepted it, but no run of it appeared within {waited}."
            decided += row.update(conclusion="startup_failure", reason=reason)
            note(run, "missing", f"{workflow}: {reason}", now)
        elif row.update(dispatch_state="intended", resent=workflow.resent + 1):
            decided += 1
            if ci.resend_after:
                told = f"{workflow}: its answer was lost and no list showed it for {waited}; sent again."
                note(run, "resent", told, now)
    return decided


def _own_up(run: TestRun, now: datetime) -> None:
    """What is `sending` while nobody else drives the run was cut off in the middle."""
    lost = run.workflow_runs.filter(dispatch_state="sending").update(dispatch_state="unknown")
    if lost:
        note(
            run, "unknown", f"{count(lost, 'workflow')} being sent when the sender died; looked for now.", now
        )


def _send(workflow: WorkflowRun, *, ci: CIService, now: datetime) -> int:
    """Send one workflow; 1 if it may be with the service now, 0 if it was refused."""
    row = WorkflowRun.objects.filter(pk=workflow.pk)
    if not row.unsent().update(dispatch_state="sending", sent_at=now):
        return 0
    pending = row.filter(dispatch_state__in=["sending", "unknown"])
    try:
        answer = ci.dispatch(workflow, now=now)
    except CIRefused as refusal:
        pending.update(dispatch_state="refused", conclusion="startup_failure", reason=str(refusal))
        note(workflow.run, "refused", f"{workflow} was not taken: {refusal}", now)
        return 0
    except CILost as loss:
        pending.update(dispatch_state="unknown")
        note(workflow.run, "unknown", f"{workflow}: {loss} Looking for it before it is sent again.", now)
        return 1
    except CIUnavailable:
        pending.update(dispatch_state="intended", sent_at=None)
        raise
    _accept(workflow, answer, now)
    return 1


def _accept(workflow: WorkflowRun, answer: Sent, now: datetime) -> None:
    """Write down the answer; a message may have told of the run before it."""
    row = WorkflowRun.objects.filter(pk=workflow.pk)
    row.filter(dispatch_state__in=["sending", "unknown"]).update(dispatch_state="accepted")
    if answer.github_run_id:
        row.filter(github_run_id=None).update(
            repository_id=answer.repository_id, github_run_id=answer.github_run_id, url=answer.url
        )
    elif answer.url:
        row.filter(url="").update(url=answer.url)


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


def _tell(run: TestRun, sent: int, now: datetime) -> None:
    if sent:
        note(run, "sent", f"Sent {sent} workflow{'s' if sent > 1 else ''} to {run.plan['service']}.", now)
