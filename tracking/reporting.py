"""Runs that somebody else executes: started here, filled with results over HTTP, completed by word."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from tracking.models import Environment, Space, TestDefinition, TestRun
from tracking.tracker import create_run, note, start_run


def start(
    definition: TestDefinition,
    environment: Environment,
    *,
    triggered_by: str,
    now: datetime,
    commands_allowed: bool = False,
    space: str = Space.CI,
    **fields: Any,
) -> TestRun:
    """Start a run: one with steps, or a workload, is sent here; others are executed by whoever started them.

    The latter runs until it is completed, or until the definition's time limit is over.

    Raises:
        NotRunnable: nothing was stored; the message says why.
    """
    if definition.is_handed_over or definition.steps.exists():
        told = {"triggered_by": triggered_by, "space": space, **fields}
        return start_run(definition, environment, now=now, commands_allowed=commands_allowed, **told)
    plan = {
        "test_type": definition.test_type,
        "definition": definition.name,
        "version": definition.version,
        "service": environment.service,
        "timeout": definition.timeout,
        "steps": [],
    }
    with transaction.atomic():
        run = create_run(
            definition, environment, plan, now=now, triggered_by=triggered_by, space=space, **fields
        )
        note(run, "started", f"Started by {triggered_by}, who executes it.", now)
    return run
