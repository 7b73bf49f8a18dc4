"""What later results are held against: set here, or brought by `baseline_results.json` from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from access import audit
from batches import git, logs
from batches.models import BatchBaseline
from batches.recording import Desk
from batches.store import write_atomically
from batches.workspace import LOGS

NONE_YET = "There is no baseline: run `batch baseline` or `ci_batch_tests --set-baseline` first."


class NoBaseline(Exception):
    """There is none, or the named file is none; the text says what to do."""


def set_baseline(
    desk: Desk,
    result: Mapping[str, Any],
    *,
    name: str = "default",
    branch: str | None = None,
    is_here: bool = True,
    actor: Any,
    now: datetime,
) -> BatchBaseline:
    """Keep `result` as what later ones are held against, for `branch`, else the one checked out.

    Args:
        is_here: the workspace lies on this machine, and its file is written as well.
    """
    workspace = desk.workspace
    with transaction.atomic():
        row, _ = BatchBaseline.objects.update_or_create(
            workspace=workspace,
            name=name,
            branch=git.branch(desk.root) if branch is None else branch,
            defaults={"set_at": now, "result": dict(result)},
        )
        audit.record(
            "batch.baseline",
            actor=actor,
            project=workspace.project,
            target=workspace,
            workspace=workspace.pk,
            name=name,
            branch=row.branch,
        )
    if name == "default" and is_here and desk.root.is_dir():
        with desk.lock():
            logs.write_json(desk.root, "baseline_results.json", result)
    return row


def find_baseline(desk: Desk, *, name: str = "default") -> Mapping[str, Any] | None:
    """The baseline that was set here, or a `baseline_results.json` that came from elsewhere, as in CI."""
    kept = _kept(desk, name)
    own = _own_file(desk.root) if name == "default" else None
    if own is None or kept is None:
        return kept or own
    is_ours = any(
        own.get("timestamp") == row.result.get("timestamp") and own["tests"] == row.result["tests"]
        for row in desk.workspace.baselines.filter(name=name)
    )
    return kept if is_ours else own


def read_baseline(root: Path, named: str) -> Mapping[str, Any]:
    """Return the baseline of a file.

    Raises:
        NoBaseline: it is missing, or no baseline.
    """
    place = _place(root, named)
    try:
        found = _checked(json.loads(place.read_text()))
    except OSError:
        raise NoBaseline(f"There is no baseline {place}: make one with --set-baseline.") from None
    except ValueError:
        found = None
    if found is None:
        raise NoBaseline(f"{place} is no baseline: make one with --set-baseline.")
    return found


def demand_writable(root: Path, named: str) -> None:
    """Find out before the tests run whether their results can be written to a file.

    Raises:
        NoBaseline: they can't.
    """
    place = _place(root, named)
    if place.is_dir() or not place.parent.is_dir():
        what = "is a folder" if place.is_dir() else "lies in no folder that is there"
        raise NoBaseline(f"{place} {what}: name a file with --baseline-file.")


def write_baseline(root: Path, named: str, result: Mapping[str, Any]) -> None:
    """Write a result to a file as a baseline."""
    write_atomically(_place(root, named), (json.dumps(result, indent=2) + "\n").encode())


def _kept(desk: Desk, name: str) -> Mapping[str, Any] | None:
    """The baseline of the branch checked out, else the latest of any branch."""
    rows = BatchBaseline.objects.filter(workspace=desk.workspace, name=name).order_by("-set_at")
    row = rows.filter(branch=git.branch(desk.root)).first() or rows.first()
    return row.result if row else None


def _own_file(root: Path) -> Mapping[str, Any] | None:
    """The workspace's own file; None where it is missing or damaged, then the database has it."""
    try:
        return _checked(json.loads((root / LOGS / "baseline_results.json").read_text()))
    except (OSError, ValueError):
        return None


def _checked(found: Any) -> dict[str, Any] | None:
    """A baseline with all that is read from one; None where it is something else."""
    if not isinstance(found, dict) or not isinstance(found.get("tests"), list):
        return None
    modules = found.get("modules") or []
    is_one = all(_is_test(test) for test in found["tests"]) and isinstance(modules, list)
    if not is_one or not all(isinstance(row, dict) and "name" in row for row in modules):
        return None
    return {**found, "modules": [{"error": "", **row} for row in modules]}


def _is_test(test: Any) -> bool:
    return (
        isinstance(test, dict)
        and isinstance(test.get("name"), str)
        and isinstance(test.get("outcome"), str)
        and isinstance(test.get("seconds"), int | float)
    )


def _place(root: Path, named: str) -> Path:
    """A bare name that is not here lies in the logs, where the baseline of the documents is."""
    here = Path(named)
    there = root / LOGS / named
    return there if not here.exists() and here.name == named and there.exists() else here
