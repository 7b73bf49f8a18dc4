"""What else was different between two runs, in words: where they ran, of which code, by which plan."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tracking.models import TestRun, WorkflowJob

_STEP = ("workflow", "command", "count", "start_after", "spacing", "at_most")
MOST_NAMES = 8


def differences_of(base: TestRun, head: TestRun) -> Iterator[tuple[str, str, str]]:
    """Yield what differs: its name, and the base's and the head's in words."""
    before, after = _facts(base), _facts(head)
    for name in {**before, **after}:
        first, second = before.get(name, ""), after.get(name, "")
        if first != second:
            yield name, first, second


def _facts(run: TestRun) -> dict[str, str]:
    plan = run.plan
    steps = plan.get("steps") or []
    facts = {
        "environment": run.environment.name,
        "space": run.space,
        "definition": _definition(run),
        "service": str(plan.get("service", "")),
        "ref": str(plan.get("ref", "")),
        "commit": run.commit_sha[:12],
        "code (tree hash)": run.tree_hash[:12],
        "plan": "; ".join(_in_words({name: step.get(name) for name in _STEP}) for step in steps),
        "inputs": "; ".join(filter(None, (_in_words(step.get("inputs") or {}) for step in steps))),
        "workflows": str(run.workflow_runs.count()),
        **_machines(run),
    }
    told = run.metadata if isinstance(run.metadata, dict) else {}
    return facts | {name.replace("_", " "): _short(told[name]) for name in _TOLD if name in told}


_TOLD = ("platform", "python_version", "runner_image", "os")  # of a run's metadata


def _definition(run: TestRun) -> str:
    version = run.plan.get("version")
    return f"{run.definition.name}, version {version}" if version else run.definition.name


def _machines(run: TestRun) -> dict[str, str]:
    jobs = WorkflowJob.objects.filter(attempt__workflow__run=run).order_by()
    kinds, machines = set(), set()
    for labels, group, machine in jobs.values_list("labels", "runner_group", "runner_name").distinct():
        kinds.add(", ".join(sorted(map(str, labels))) or group)
        machines.add(machine)
    return {"runners": _names(kinds, "; "), "machines": _names(machines, ", ")}


def _names(names: set[str], between: str) -> str:
    known = sorted(names - {""})
    more = f" and {len(known) - MOST_NAMES} more" if len(known) > MOST_NAMES else ""
    return between.join(known[:MOST_NAMES]) + more


def _in_words(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {_short(value)}" for name, value in sorted(values.items()) if value)


def _short(value: Any) -> str:
    text = " ".join(map(str, value)) if isinstance(value, list) else value
    return (text if isinstance(text, str) else json.dumps(text, sort_keys=True))[:200]
