"""How the tests of a workspace are run: with which Python, in which variables, and what comes after."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from batches.copies import search
from batches.keeping import Sender
from batches.models import Batch, Workspace
from batches.recording import Desk
from batches.regressions import Rule
from batches.runner import Plan
from batches.testing import Tested, run_tests
from tracking.interpreter import NoPython, find_python

TIMEOUT = 3600.0
AUTO = "auto"  # instead of a Python: none is set


@dataclass(frozen=True)
class Surroundings:
    """What the machine gives: the plugin's folder, Runtrail's own Python, the variables of the tests."""

    plugin: Path
    own: Path
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Order:
    """What somebody asked for; what is empty is found."""

    python: str = ""
    framework: str = ""
    timeout: float = TIMEOUT
    pattern: str = ""
    isolated: bool = False


def interpreter(workspace: Workspace, order: Order, around: Surroundings) -> tuple[str, str]:
    """Return the user's Python, and pytest if that one has it, else unittest.

    Raises:
        NoPython: there is none.
    """
    root = Path(workspace.root)
    chosen: dict[str, Any] = {
        "chosen": order.python,
        "of_workspace": workspace.python,
        "own": around.own,
    }
    try:
        if order.framework != "unittest":
            return find_python(root, around.environment, **chosen), "pytest"
    except NoPython as problem:
        if order.framework or "has no pytest" not in str(problem):
            raise
    return find_python(root, around.environment, **chosen, needs_pytest=False), "unittest"


@contextmanager
def planned(
    desk: Desk,
    order: Order,
    around: Surroundings,
    *,
    tell: Callable[[str], None],
    show: Callable[[str], None] | None = None,
    is_cancelled: Callable[[], bool] | None = None,
) -> Iterator[Plan]:
    """Give the plan, with a folder for its reports that goes at the end."""
    python, framework = interpreter(desk.workspace, order, around)
    with tempfile.TemporaryDirectory(prefix="runtrail-") as scratch:
        yield Plan(
            root=desk.root,
            python=python,
            plugin=around.plugin,
            scratch=Path(scratch),
            environment=around.environment,
            framework=framework,
            timeout=order.timeout,
            pattern=order.pattern,
            isolated=order.isolated,
            show=show,
            is_cancelled=is_cancelled,
            tell=tell,
        )


def set_interpreter(workspace: Workspace, order: Order, around: Surroundings) -> None:
    """Keep the Python of an order for all tests of the workspace; `auto` has it found anew each time.

    Raises:
        NoPython: there is none.
    """
    workspace.python = ""
    if order.python != AUTO:
        workspace.python, framework = interpreter(workspace, order, around)
        remember_interpreter(workspace, workspace.python, framework)
    workspace.save(update_fields=["python"])


def remember_interpreter(workspace: Workspace, python: str, framework: str) -> None:
    """Keep what a shell found, for runs that are asked for elsewhere and know nothing of that shell."""
    if (workspace.last_python, workspace.last_framework) != (python, framework):
        workspace.last_python, workspace.last_framework = python, framework
        workspace.save(update_fields=["last_python", "last_framework"])


def prove(
    desk: Desk,
    plan: Plan,
    *,
    batch: Batch | None,
    baseline: Mapping[str, Any] | None,
    rule: Rule = Rule(),  # noqa: B008
    sender: Sender | None = None,
    triggered_by: str,
    now: datetime,
) -> Tested:
    """Run the tests; where a whole batch turned red, look for the edits to blame.

    What came of the tests is kept before the search, and stands whatever becomes of that.
    """
    tested = run_tests(
        desk,
        plan,
        batch=batch,
        baseline=baseline,
        rule=rule,
        sender=sender,
        triggered_by=triggered_by,
        now=now,
    )
    if batch is None or tested.trouble or tested.result["success"] or plan.pattern:
        return tested
    try:
        return replace(tested, search=search(desk, plan, tested.batch_run))
    except OSError as problem:
        plan.tell(f"The search for the edit to blame could not be done: {problem}")
        return tested
