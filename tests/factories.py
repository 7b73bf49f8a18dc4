"""Rows for tests.  Every argument has a default; a test names only what it is about."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from access.models import Membership, Project, Role, User
from tracking.identifiers import new_test_run_id
from tracking.models import (
    Environment,
    Step,
    TestDefinition,
    TestRun,
    WorkflowAttempt,
    WorkflowJob,
    WorkflowRun,
)
from tracking.rollups import keep_figures

NINE = datetime(2026, 1, 4, 9, 0, tzinfo=UTC)


def make_project(slug: str = "demo", **fields: Any) -> Project:
    return Project.objects.get_or_create(slug=slug, defaults={"name": slug, **fields})[0]


def make_user(
    name: str = "ada", *, role: Role | str | None = None, project: Project | None = None, **fields: Any
) -> User:
    """Return a user called `name`, with `role` in `project` (default: demo)."""
    user = User.objects.filter(username=name).first() or User.objects.create_user(
        name, password="secret", **fields
    )
    if role:
        Membership.objects.update_or_create(
            user=user, project=project or make_project(), defaults={"role": role}
        )
    return user


def make_environment(name: str = "local", *, project: Project | None = None, **fields: Any) -> Environment:
    kind = name if name in Environment.Kind.values else "staging"
    return Environment.objects.get_or_create(
        project=project or make_project(), name=name, defaults={"kind": kind, **fields}
    )[0]


def make_definition(
    name: str = "performance",
    *,
    project: Project | None = None,
    steps: list[dict[str, Any]] | None = None,
    **fields: Any,
) -> TestDefinition:
    """Return a definition with one step of 34 build jobs, or with `steps`."""
    defaults = {"test_type": name, "is_from_shell": True, "folder": "/", **fields}
    made, is_new = TestDefinition.objects.get_or_create(
        project=project or make_project(), name=name, defaults=defaults
    )
    if is_new:
        for position, step in enumerate(
            [{"command": ["true"], "count": 34}] if steps is None else steps, start=1
        ):
            Step.objects.create(definition=made, position=position, **step)
    return made


def make_run(
    *,
    definition: TestDefinition | None = None,
    environment: Environment | None = None,
    status: str = "running",
    started_at: datetime = NINE,
    duration: float = 120.0,
    **fields: Any,
) -> TestRun:
    """Return a run, going since `started_at`; with another status it ended `duration` seconds later."""
    definition = definition or make_definition()
    environment = environment or make_environment(project=definition.project)
    ended = None if status == "running" else started_at + timedelta(seconds=duration)
    plan = {
        "test_type": definition.test_type,
        "version": 1,
        "service": "local",
        "timeout": 3600,
        "folder": "/",
    }
    step = {
        "name": "build_job",
        "workflow": "",
        "command": ["true"],
        "count": 1,
        "inputs": {},
        "start_after": 0,
    }
    plan["steps"] = [{**step, "spacing": 0, "at_most": 0, "timeout": None}]
    return TestRun.objects.create(
        **{
            "test_run_id": new_test_run_id(definition.test_type, started_at),
            "project": definition.project,
            "definition": definition,
            "environment": environment,
            "status": status,
            "triggered_by": "ada",
            "started_at": started_at,
            "completed_at": ended,
            "plan": plan,
            **fields,
        }
    )


def make_workflow(
    run: TestRun,
    conclusion: str = "success",
    *,
    queue: float | None = 20.0,
    execution: float | None = 30.0,
    status: str = "",
    position: int | None = None,
    ready_at: datetime | None = None,
    number: int = 1,
    **fields: Any,
) -> WorkflowRun:
    """Return a workflow with its attempt and job, as a CI service would have reported them.

    Without a conclusion it is open: `status` is then queued or in_progress, and `queue` what it waited
    before it began.  With `status="intended"` nothing was sent and there is no attempt.
    """
    ready = ready_at or run.started_at
    sent = status != "intended"
    workflow = WorkflowRun.objects.create(
        project_id=run.project_id,
        **{
            "run": run,
            "position": position or run.workflow_runs.count() + 1,
            "name": "build_job",
            "due_at": ready,
            "sent_at": ready if sent else None,
            "service": "local",
            "dispatch_id": uuid.uuid4().hex,
            "dispatch_state": "accepted" if sent else "intended",
            "attempt": number if sent else 0,
            "conclusion": conclusion,
            "visible_tag": run.test_run_id if sent else "",
            **fields,
        },
    )
    if sent:
        _attempt(workflow, number, status, ready, queue, execution)
    return workflow


def _attempt(
    workflow: WorkflowRun,
    number: int,
    status: str,
    ready: datetime,
    queue: float | None,
    execution: float | None,
) -> None:
    ended = bool(workflow.conclusion)
    ran = ended and queue is not None and execution is not None
    word = "completed" if ended else status or "queued"
    began = ready + timedelta(seconds=queue) if queue is not None and word != "queued" else None
    done = (
        began + timedelta(seconds=execution)
        if ended and began and execution is not None
        else ready
        if ended
        else None
    )
    measured: dict[str, Any] = {"method": "process", "quality": "exact"} if ran else {}
    if ran and queue is not None and execution is not None:
        measured |= {"queue": queue, "execution": execution, "total": queue + execution}
    shared = {
        "status": word,
        "conclusion": workflow.conclusion,
        "created_at": ready,
        "completed_at": done,
        **measured,
    }
    attempt = WorkflowAttempt.objects.create(
        workflow=workflow, number=number, run_started_at=ready, first_job_at=began, **shared
    )
    WorkflowJob.objects.create(
        attempt=attempt,
        job_id=workflow.pk,
        name=workflow.name,
        started_at=began,
        runner_id=1 if began else None,
        runner_name="host-1" if began else "",
        **shared,
    )


def make_ended_run(
    status: str = "passed", *, workflows: int = 2, queue: float = 20.0, **fields: Any
) -> TestRun:
    """Return an ended run with timed workflows (the first bad where the run is), and its figures kept."""
    run = make_run(status=status, **fields)
    for number in range(workflows):
        bad = number == 0 and status in ("failed", "error")
        make_workflow(run, "failure" if bad else "success", queue=queue, position=number + 1)
    keep_figures(run)
    return run
