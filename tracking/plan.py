"""What exactly a run will do, written down when it starts."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from tracking.models import Environment, TestDefinition, TestRun, WorkflowRun


class NotRunnable(Exception):
    """The definition can't be run so; the message says why and what to do."""


def freeze_plan(
    definition: TestDefinition,
    environment: Environment,
    *,
    branch: str = "",
    commands_allowed: bool = False,
) -> dict[str, Any]:
    """Return all that a run of `definition` in `environment` needs, as JSON.

    The run keeps this copy: what is changed in the definition later changes no run that has begun,
    and `rerun` repeats exactly this.  `commands_allowed` lets definitions that did not come from a
    shell run commands on this machine.

    Raises:
        NotRunnable: it has no steps, or may not or can't run there.
    """
    steps = [_step(step, environment) for step in definition.steps.order_by("position")]
    if not steps and definition.kind == "workflows":
        raise NotRunnable(f"The definition {definition} has no steps yet, so there is nothing to send.")
    if steps:
        _demand_runnable(definition, environment, steps, commands_allowed)
    return {
        "kind": definition.kind,
        "test_type": definition.test_type,
        "definition": definition.name,
        "version": definition.version,
        "service": environment.service,
        "ref": branch or environment.ref or definition.project.default_branch,
        "timeout": definition.timeout,
        "folder": definition.folder,
        "steps": steps,
    }


def intended_workflows(run: TestRun) -> list[WorkflowRun]:
    """Return the unsaved rows for every workflow that the run's plan will send."""
    rows: list[WorkflowRun] = []
    for number, step in enumerate(run.plan.get("steps", [])):
        for turn in range(step["count"]):
            rows.append(
                WorkflowRun(
                    run=run,
                    project_id=run.project_id,
                    position=len(rows) + 1,
                    step=number,
                    name=step["name"],
                    workflow_file=step["workflow"],
                    inputs=step["inputs"],
                    due_at=run.started_at + timedelta(seconds=step["start_after"] + turn * step["spacing"]),
                    service=run.plan["service"],
                    dispatch_id=uuid.uuid4().hex,
                )
            )
    return rows


def _demand_runnable(
    definition: TestDefinition, environment: Environment, steps: list[dict[str, Any]], commands_allowed: bool
) -> None:
    if environment.service != "local":
        if any(not step["workflow"] for step in steps):
            raise NotRunnable(f"A step of {definition} names no workflow file for {environment.service}.")
        return
    if not (definition.is_from_shell or commands_allowed):
        raise NotRunnable(
            f"The definition {definition} may not run commands on this machine: load it from a shell, "
            "or set RUNTRAIL_LOCAL_COMMANDS=1."
        )
    if any(not step["command"] for step in steps):
        raise NotRunnable(f"A step of {definition} has no command for the local service of {environment}.")


def _step(step: Any, environment: Environment) -> dict[str, Any]:
    return {
        "name": step.name,
        "workflow": step.workflow,
        "command": step.command,
        "count": step.count,
        "inputs": {**environment.inputs, **step.inputs},
        # The environment's go only to workflows that declare them; a step's own must be declared.
        "optional": sorted(environment.inputs.keys() - step.inputs.keys()),
        "start_after": step.start_after,
        "spacing": step.spacing,
        "at_most": step.at_most,
        "timeout": step.timeout,
    }
