"""Runs whose workflows a script sends itself: Runtrail gives the identifier and keeps the record."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import models, transaction

from access.models import Project
from analysis.wording import count
from tracking.identifiers import environment_name
from tracking.lifecycle import Status, close_run, settle_run
from tracking.models import Environment, TestDefinition, TestRun, WorkflowRun
from tracking.tracker import create_run, note

ENDED = "recorded"  # the event that says that the script has no more to tell
NOT_SEEN = "recorded by a script; Runtrail did not see how it ended"


def begin_recording(
    project: Project,
    test_type: str,
    environment: str,
    *,
    triggered_by: str,
    now: datetime,
    recorder: str = "",
) -> TestRun:
    """Start a run without steps; its definition and environment are made where they are new.

    `recorder` names the process that records, so that its death can be noticed.

    Raises:
        ValueError: a name that can be part of no identifier or folder.
    """
    with transaction.atomic():
        definition = named_definition(project, test_type)
        place, is_new = named_environment(project, environment)
        run = create_run(
            definition,
            place,
            {"test_type": test_type, "service": place.service, "steps": []},
            now=now,
            triggered_by=triggered_by,
            metadata={"source": "TestRunTracker", **({"recorder": recorder} if recorder else {})},
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
    with transaction.atomic():
        # The lock gives scripts with several threads one position after the other.
        if not TestRun.objects.select_for_update().running().filter(pk=run.pk).first():
            raise ValueError(f"{run} has ended; begin another one.")
        known = run.workflow_runs.filter(github_run_id=workflow_id).first() if workflow_id else None
        if known:
            return known
        position = run.workflow_runs.count() + 1
        return WorkflowRun.objects.create(
            run=run,
            project_id=run.project_id,
            position=position,
            name=name.rsplit("/", 1)[-1].removesuffix(".yml").removesuffix(".yaml"),
            due_at=now,
            sent_at=now,
            service=run.environment.service,
            dispatch_id=f"{run.pk.hex[:24]}-{position}",
            dispatch_state="accepted",
            github_run_id=workflow_id,
        )


def end_recording(run: TestRun, *, can_ask: bool, now: datetime) -> None:
    """End the recording; the run closes as soon as its workflows have.

    With `can_ask` their service will tell how they ended.  Without, nothing more will ever be known:
    they count as neutral, which is GitHub's word for neither good nor bad, and the run says so.
    """
    workflows = run.workflow_runs.count()
    note(run, ENDED, f"The script saved its record of {count(workflows, 'workflow')}.", now)
    if not workflows:
        close_run(run, Status.ERROR, reason="Nothing was recorded.", now=now)
        return
    unseen = 0 if can_ask else run.workflow_runs.open().update(conclusion="neutral", reason=NOT_SEEN)
    if unseen == workflows:
        reason = f"Recorded by a script; Runtrail did not see how its {count(workflows, 'workflow')} ended"
        close_run(run, Status.PASSED, reason=reason, now=now)
    else:
        settle_run(run, now=now)


def named_definition(project: Project, test_type: str) -> TestDefinition:
    """Return the definition named by a test type, made without steps on first use.

    Raises:
        ValueError: a name that can be part of no identifier.
    """
    name = test_type.replace("_", "-")
    found = TestDefinition.objects.filter(project=project, name=name).first()
    if found:
        return found
    _demand_valid(TestDefinition(project=project, name=name, test_type=test_type))
    return TestDefinition.objects.get_or_create(
        project=project, name=name, defaults={"test_type": test_type}
    )[0]


def named_environment(project: Project, typed: str) -> tuple[Environment, bool]:
    """Return the environment of a name, made on first use, and whether it is new.

    Raises:
        ValueError: a name that can be part of no folder.
    """
    name = environment_name(typed)
    kind = name if name in Environment.Kind.values else Environment.Kind.STAGING
    _demand_valid(Environment(project=project, name=name, kind=kind))
    return Environment.objects.get_or_create(project=project, name=name, defaults={"kind": kind})


def _demand_valid(row: models.Model) -> None:
    """Scripts come with any text; a name becomes part of a folder and of an identifier."""
    try:
        row.clean_fields(exclude=["project"])
    except ValidationError as problem:
        faults = (f"{field}: {' '.join(texts)}" for field, texts in problem.message_dict.items())
        raise ValueError("; ".join(faults)) from None
