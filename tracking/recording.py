"""Runs whose workflows a script sends itself: Runtrail gives the identifier and keeps the record."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from access.models import Project
from tracking.identifiers import environment_name
from tracking.lifecycle import Status, close_run, settle_run
from tracking.models import Environment, TestDefinition, TestRun, WorkflowRun
from tracking.tracker import create_run, note


def begin_recording(
    project: Project, test_type: str, environment: str, *, triggered_by: str, now: datetime
) -> TestRun:
    """Start a run without steps; its definition and environment are made where they are new."""
    with transaction.atomic():
        definition, _ = TestDefinition.objects.get_or_create(
            project=project, name=environment_name(test_type), defaults={"test_type": test_type}
        )
        name = environment_name(environment)
        kind = name if name in Environment.Kind.values else Environment.Kind.STAGING
        place, is_new = Environment.objects.get_or_create(project=project, name=name, defaults={"kind": kind})
        run = create_run(
            definition,
            place,
            {"test_type": test_type, "service": place.service, "steps": []},
            now=now,
            triggered_by=triggered_by,
            metadata={"source": "TestRunTracker"},
        )
        note(run, "started", f"Recording was begun by {triggered_by}.", now)
        if is_new:
            note(run, "environment", f"The environment {place} was made as {place.kind}.", now)
    return run


def record_workflow(run: TestRun, workflow_id: int | None, name: str, *, now: datetime) -> WorkflowRun:
    """Note a workflow that a script has sent; told twice of one id, it is noted once.

    Raises:
        ValueError: the run has ended.
    """
    if not TestRun.objects.running().filter(pk=run.pk).exists():
        raise ValueError(f"{run} has ended; begin another one.")
    with transaction.atomic():
        known = run.workflow_runs.filter(github_run_id=workflow_id).first() if workflow_id else None
        if known:
            return known
        position = run.workflow_runs.count() + 1
        return WorkflowRun.objects.create(
            run=run,
            position=position,
            name=name,
            due_at=now,
            sent_at=now,
            service=run.environment.service,
            dispatch_id=f"{run.pk.hex[:24]}-{position}",
            dispatch_state="accepted",
            github_run_id=workflow_id,
        )


def end_recording(run: TestRun, *, now: datetime) -> None:
    """End the recording; the run closes as soon as its workflows have.

    On a service that can't be asked about them (the local one ran none of them) nothing more will ever
    be known: they count as neutral, and the run says so.
    """
    if not run.workflow_runs.exists():
        close_run(run, Status.ERROR, reason="No workflow was recorded.", now=now)
        return
    if run.environment.service == "local":
        run.workflow_runs.open().update(
            conclusion="neutral", reason="recorded by a script; its result is not known here"
        )
    settle_run(run, now=now)
