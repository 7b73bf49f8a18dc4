"""Run the failing tests of a batch at its recorded states, in copies: the user's files are never touched."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from analysis.wording import count
from batches.culprit import Verdict, find_culprits
from batches.models import Batch, BatchRun, Edit, FileState, Rollback
from batches.recording import Desk
from batches.runner import Plan, run_named
from batches.stock import LEFT_OUT
from batches.workspace import write_state

BAD = {"failed", "error"}
REMEMBERED = 20  # runs that say how flaky a test is


@dataclass(frozen=True)
class Search:
    """What the search found: a verdict for each failing test, or why there was none."""

    verdicts: Mapping[str, Verdict]
    reruns: int = 0
    why_not: str = ""

    def blamed(self) -> dict[int, list[str]]:
        """Edit -> the tests that it broke."""
        found: dict[int, list[str]] = {}
        for test, verdict in self.verdicts.items():
            if verdict.edit:
                found.setdefault(verdict.edit, []).append(test)
        return dict(sorted(found.items()))


def search(desk: Desk, plan: Plan, batch_run: BatchRun) -> Search:
    """Find the edits that made the tests of `batch_run` fail, and keep the verdicts with it.

    Tests that failed in the batch before are left out: no edit of this one broke them.
    """
    batch = batch_run.batch
    failing = [test["name"] for test in batch_run.result["tests"] if test["outcome"] in BAD]
    if batch is None or not failing:
        return _without(batch_run, "no single test failed, so that there is none to run again")
    edits = list(batch.edits.select_related("before", "after").order_by("position"))
    nameless = [edit.path for edit in edits if edit.before is None]
    if not edits or nameless:
        return _without(batch_run, f"no earlier state is known of {nameless[0] if nameless else 'any file'}")
    fresh = sorted({*failing} - _red_before(batch_run))
    if not fresh:
        return _without(batch_run, "the same tests failed before this batch")
    if left := len(failing) - len(fresh):
        plan.tell(f"Not searched for, as red before this batch: {count(left, 'test')}.")
    reruns = 0
    with tempfile.TemporaryDirectory(prefix="runtrail-states-") as scratch:
        copy = Path(scratch) / desk.root.name
        copy_tree(desk.root, copy)
        take_back_later(desk, batch, copy)

        def failing_at(state: int, names: Collection[str]) -> Collection[str]:
            nonlocal reruns
            reruns += 1
            plan.tell(f"Looking for the edit to blame: rerun {reruns}, after edit {state} of {len(edits)} …")
            put_state(desk, edits, state, copy)
            return _failing(_moved(plan, copy), names)

        try:
            history = _history(fresh, [row.result for row in _earlier(batch_run)])
            verdicts = find_culprits(len(edits), fresh, failing_at, history=history)
        finally:
            _make_removable(copy)
    found = Search(verdicts, reruns)
    batch_run.suspicion = told(found, len(edits))
    batch_run.save(update_fields=["suspicion"])
    return found


def told(found: Search, edits: int) -> dict[str, Any]:
    """A search as it is kept: the highest suspicion of each edit over all tests, and each test's verdict."""
    verdicts = list(found.verdicts.values())
    blamed = found.blamed()
    return {
        "edit": next(iter(blamed), None),
        "edits": list(blamed),
        "suspicion": [round(max(one.suspicion[n] for one in verdicts), 4) for n in range(edits)],
        "cleared": round(min(one.cleared for one in verdicts), 4),
        "reruns": found.reruns,
        "is_sure": all(one.is_sure for one in verdicts),
        "tests": {
            test: {
                "edit": one.edit,
                "flaky": one.is_sure and one.edit is None and not one.was_before,
                "before": one.was_before,
                "suspicion": [round(share, 4) for share in one.suspicion],
                "cleared": round(one.cleared, 4),
                "reruns": one.reruns,
            }
            for test, one in found.verdicts.items()
        },
    }


def put_state(desk: Desk, edits: Sequence[Edit], state: int, copy: Path) -> None:
    """Make the copy what the workspace was after the first `state` edits; what goes makes room first."""
    wanted = states_at(edits, state)
    for path in sorted(wanted, key=lambda path: (wanted[path].kind != FileState.Kind.ABSENT, path)):
        write_state(copy, path, wanted[path], desk.store)


def states_at(edits: Sequence[Edit], state: int) -> dict[str, FileState]:
    """Path -> its state after the first `state` edits of the batch."""
    found: dict[str, FileState] = {}
    for edit in edits:
        if edit.position <= state:
            found[edit.path] = edit.after
        elif edit.before is not None:
            found.setdefault(edit.path, edit.before)
    return found


def take_back_later(desk: Desk, batch: Batch, copy: Path) -> None:
    """Take what was edited after the batch out of the copy: a watcher goes on while the tests run."""
    later = Edit.objects.filter(batch__workspace=desk.workspace, batch__number__gt=batch.number)
    states: dict[str, FileState] = {}
    for edit in later.select_related("before").order_by("batch__number", "position"):
        if edit.before is not None:
            states.setdefault(edit.path, edit.before)
    for path in sorted(states, key=lambda path: (states[path].kind != FileState.Kind.ABSENT, path)):
        write_state(copy, path, states[path], desk.store)


def copy_tree(root: Path, copy: Path) -> None:
    """Copy the tree without what no test needs; links that lead out stay links."""

    def left_out(folder: str, names: list[str]) -> set[str]:
        gone = {name for name in names if name in LEFT_OUT - {"build", "dist"} or name in {".git", ".venv"}}
        special = {name for name in names if _is_special(Path(folder, name))}
        return gone | special

    shutil.copytree(root, copy, symlinks=True, ignore=left_out)
    _make_removable(copy)


def _failing(plan: Plan, names: Collection[str]) -> set[str]:
    """The named tests that fail; a test that is not there at that state does not."""
    runs, there = run_named(plan, names)
    bad = {case.nodeid for made in runs for case in made.cases if case.outcome in BAD}
    if not any(made.cases for made in runs) and any(made.trouble for made in runs):
        return there  # they can't even be collected
    return bad & there


def _moved(plan: Plan, copy: Path) -> Plan:
    """The plan for a copy, whose own packages win over ones installed in editable mode."""
    paths = [str(copy), *([str(copy / "src")] if (copy / "src").is_dir() else [])]
    for path in filter(None, plan.environment.get("PYTHONPATH", "").split(os.pathsep)):
        inside = Path(path).is_relative_to(plan.root)
        paths.append(str(copy / Path(path).relative_to(plan.root)) if inside else path)
    environment = {**plan.environment, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}
    return replace(plan, root=copy, environment=environment)


def _earlier(batch_run: BatchRun) -> list[BatchRun]:
    """The last runs of the whole suite before the batch, the newest first."""
    rows = BatchRun.objects.filter(workspace=batch_run.workspace, pattern="", pk__lt=batch_run.pk)
    return list(rows.exclude(batch=batch_run.batch).filter(total_tests__gt=0)[:REMEMBERED])


def _red_before(batch_run: BatchRun) -> set[str]:
    """What failed in the last run before the batch; nobody knows where a rollback followed that run."""
    last = next(iter(_earlier(batch_run)), None)
    if last is None:
        return set()
    back = Rollback.objects.filter(
        batch__workspace=batch_run.workspace, started_at__gte=last.started_at, finished_at__isnull=False
    )
    return set() if back.exists() else _bad(last.result)


def _bad(result: Mapping[str, Any]) -> set[str]:
    return {test["name"] for test in result["tests"] if test["outcome"] in BAD}


def _history(names: Collection[str], earlier: Sequence[Mapping[str, Any]]) -> dict[str, tuple[int, int]]:
    """Test -> how often it ran before, and how often it failed then."""
    found = {name: [0, 0] for name in names}
    for result in earlier:
        for test in result["tests"]:
            if test["name"] in found:
                found[test["name"]][0] += 1
                found[test["name"]][1] += test["outcome"] in BAD
    return {name: (runs, failures) for name, (runs, failures) in found.items()}


def _without(batch_run: BatchRun, why: str) -> Search:
    batch_run.suspicion = {"why_not": why}
    batch_run.save(update_fields=["suspicion"])
    return Search({}, 0, why)


def _is_special(place: Path) -> bool:
    return not (place.is_symlink() or place.is_file() or place.is_dir())


def _make_removable(copy: Path) -> None:
    """Give folders that may not be written to their rights back, so that the copy can be changed and go."""
    for folder, folders, _ in os.walk(copy):
        for name in folders:
            place = Path(folder, name)
            if not place.is_symlink():
                place.chmod(place.stat().st_mode | 0o700)
