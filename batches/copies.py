"""Run the failing tests of a batch at its recorded states, in copies: the user's files are never touched."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from batches.culprit import Verdict, find_culprit
from batches.models import Batch, BatchRun, FileState
from batches.recording import Desk
from batches.runner import Plan, run_suite
from batches.stock import LEFT_OUT
from batches.workspace import write_state

_BAD = {"failed", "error"}


def search(desk: Desk, plan: Plan, batch_run: BatchRun) -> Verdict | None:
    """Find the edit that made the tests of `batch_run` fail, and keep the verdict; None where it can't be.

    Tests that have been failing before the batch are left to the baseline: any failing test counts here.
    """
    batch = batch_run.batch
    failing = [test["name"] for test in batch_run.result["tests"] if test["outcome"] in _BAD]
    if batch is None or not failing or plan.framework != "pytest":
        return None
    edits = list(batch.edits.select_related("before", "after").order_by("position"))
    if not edits or any(edit.before is None for edit in edits):
        return None
    with tempfile.TemporaryDirectory(prefix="runtrail-states-") as scratch:
        copy = Path(scratch) / desk.root.name
        _copy(desk.root, copy)

        def fails_at(state: int) -> bool:
            for path, wanted in states_at(batch, state).items():
                write_state(copy, path, wanted, desk.store)
            return _fails(replace(plan, root=copy), failing)

        verdict = find_culprit(len(edits), fails_at)
    batch_run.suspicion = {
        "edit": verdict.edit,
        "suspicion": [round(share, 4) for share in verdict.suspicion],
        "cleared": round(verdict.cleared, 4),
        "reruns": verdict.reruns,
        "is_sure": verdict.is_sure,
    }
    batch_run.save(update_fields=["suspicion"])
    return verdict


def states_at(batch: Batch, state: int) -> dict[str, FileState]:
    """Path -> its state after the first `state` edits of the batch."""
    found: dict[str, FileState] = {}
    for edit in batch.edits.select_related("before", "after").order_by("position"):
        if edit.position <= state:
            found[edit.path] = edit.after
        elif edit.before is not None:
            found.setdefault(edit.path, edit.before)
    return found


def _fails(plan: Plan, failing: Sequence[str]) -> bool:
    """Whether one of the tests fails; a test that is not there at that state does not."""
    files = {name.partition("::")[0] for name in failing}
    there = [name for name in failing if (plan.root / name.partition("::")[0]).exists()]
    if not files or not there:
        return False
    runs = run_suite(replace(plan, selected=sorted(files), isolated=False, pattern="", show=None))
    return any(case.nodeid in failing and case.outcome in _BAD for made in runs for case in made.cases)


def _copy(root: Path, copy: Path) -> None:
    """Copy the tree without what no test needs; links that lead out stay links."""

    def left_out(folder: str, names: list[str]) -> set[str]:
        gone = {name for name in names if name in LEFT_OUT - {"build", "dist"} or name in {".git", ".venv"}}
        special = {name for name in names if _is_special(Path(folder, name))}
        return gone | special

    shutil.copytree(root, copy, symlinks=True, ignore=left_out)


def _is_special(place: Path) -> bool:
    return not (place.is_symlink() or place.is_file() or place.is_dir())
