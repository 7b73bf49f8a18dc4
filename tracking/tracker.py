"""Begin a run: one row for it, one for every workflow it will send, before anything is sent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from analysis.wording import count
from tracking.identifiers import new_test_run_id
from tracking.models import Environment, RunEvent, Space, TestDefinition, TestRun, WorkflowRun
from tracking.plan import NotRunnable, freeze_plan, intended_workflows

LEASE = timedelta(seconds=30)


def start_run(
    definition: TestDefinition,
    environment: Environment,
    *,
    triggered_by: str,
    now: datetime,
    branch: str = "",
    commit_sha: str = "",
    tree_hash: str = "",
    metadata: dict[str, Any] | None = None,
    space: str = Space.CI,
    driver: str = "",
    commands_allowed: bool = False,
) -> TestRun:
    """Start a run of `definition` in `environment`; nothing is sent yet.

    With `driver` the caller drives it and holds its lease; without, a worker takes it up.

    Raises:
        NotRunnable: nothing was stored; the message says why.
    """
    with transaction.atomic():
        definition = _as_it_is_now(definition)
        plan = freeze_plan(definition, environment, branch=branch, commands_allowed=commands_allowed)
        return _begin(
            definition,
            environment,
            plan,
            now=now,
            driver=driver,
            text=f"Started by {triggered_by}",
            triggered_by=triggered_by,
            branch=branch,
            commit_sha=commit_sha,
            tree_hash=tree_hash,
            metadata=metadata or {},
            space=space,
        )


def rerun(run: TestRun, *, triggered_by: str, now: datetime, driver: str = "") -> TestRun:
    """Start exactly `run` again: its frozen steps, inputs and ref, whatever its definition says now.

    Raises:
        NotRunnable: the run had no plan, because it was recorded and not sent.
    """
    if not run.plan.get("steps") and not run.is_handed_over:
        raise NotRunnable(f"{run} was recorded by a script and has no steps to repeat.")
    return _begin(
        run.definition,
        run.environment,
        run.plan,
        now=now,
        driver=driver,
        text=f"Started by {triggered_by}, repeating {run}",
        triggered_by=triggered_by,
        branch=run.branch,
        commit_sha=run.commit_sha,
        tree_hash=run.tree_hash,
        metadata=run.metadata,
        space=run.space,
        rerun_of=run,
    )


def note(run: TestRun, kind: str, text: str, now: datetime) -> None:
    """Add a line to what Runtrail did for `run`."""
    RunEvent.objects.create(run=run, at=now, kind=kind, text=text)


def create_run(
    definition: TestDefinition,
    environment: Environment,
    plan: dict[str, Any],
    *,
    now: datetime,
    **fields: Any,
) -> TestRun:
    """Store a running run under a new public name."""
    while True:
        try:
            with transaction.atomic():
                return TestRun.objects.create(
                    test_run_id=new_test_run_id(plan["test_type"], now),
                    project=definition.project,
                    definition=definition,
                    environment=environment,
                    plan=plan,
                    started_at=now,
                    **fields,
                )
        except IntegrityError as problem:
            # The six random digits were taken in this very second; anything else is a real fault.
            if "test_run_id" not in str(problem):
                raise


def _as_it_is_now(definition: TestDefinition) -> TestDefinition:
    """Read the definition under a lock: whoever replaces its steps takes the trust in them away with them.

    Of steps that are read a moment after the trust was, somebody else's commands would run on this machine.
    """
    rows = TestDefinition.objects.select_for_update(of=("self",), no_key=True).select_related("project")
    found: TestDefinition | None = rows.filter(pk=definition.pk).first()
    if found is None:
        raise NotRunnable(f"The definition {definition} was deleted.")
    return found


def _begin(
    definition: TestDefinition,
    environment: Environment,
    plan: dict[str, Any],
    *,
    now: datetime,
    driver: str,
    text: str,
    **fields: Any,
) -> TestRun:
    with transaction.atomic():
        run = create_run(
            definition,
            environment,
            plan,
            now=now,
            driver=driver,
            driver_until=now + LEASE if driver else None,
            **fields,
        )
        workflows = WorkflowRun.objects.bulk_create(intended_workflows(run), batch_size=50)
        what = definition.kind if run.is_handed_over else count(len(workflows), "workflow")
        note(run, "started", f"{text}: {what} on {environment}.", now)
    return run
