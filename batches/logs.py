"""The files of `test_batch_logs/`, made from the database each time: one that is damaged is made anew."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.db.models import OuterRef, Prefetch, Subquery

from batches import git, store
from batches.models import Batch, BatchRun, Edit, FileState
from batches.preview import befores_of
from batches.recording import Desk
from batches.results import seed_time, short, text_report, to_junit
from batches.store import sweep
from batches.workspace import LOGS, OutsideWorkspace, write_state

MOST_RESULTS, MOST_BATCHES = 100, 100


def folder_of(root: Path) -> Path:
    """Return the folder, made where it is missing.

    Raises:
        OutsideWorkspace: something else lies there.
    """
    demand_folder(root / LOGS)
    (root / LOGS).mkdir(exist_ok=True)
    return root / LOGS


def demand_folder(place: Path) -> None:
    """Demand that a place is a folder of its own, or free.

    Raises:
        OutsideWorkspace: it is a link or a file.
    """
    if place.is_symlink() or (place.exists() and not place.is_dir()):
        what = "link" if place.is_symlink() else "file"
        raise OutsideWorkspace(f"{place} is a {what}; it has to be a folder: move it out of the way.")


def keep(place: Path, content: bytes) -> None:
    """Write one of these files; what a killed process left unfinished goes.  Under the desk's lock."""
    sweep(place.parent)
    store.write_atomically(place, content)


def write_json(root: Path, name: str, content: Any) -> Path:
    place = folder_of(root) / name
    keep(place, (json.dumps(content, indent=2) + "\n").encode())
    return place


def describe_edit(edit: Edit) -> dict[str, Any]:
    return {
        "file_path": edit.path,
        "timestamp": seed_time(edit.recorded_at),
        "description": edit.description,
        "file_hash": edit.after.digest,
        "size": edit.after.size,
        "earlier_state": edit.before_id is not None,
    }


def describe_batch(batch: Batch, success: bool | None) -> dict[str, Any]:
    return {
        "batch_id": batch.number,
        "started_at": seed_time(batch.opened_at),
        "closed_at": seed_time(batch.closed_at) if batch.closed_at else None,
        "git_commit_hash": batch.git_commit,
        "success": success,
        "edits": [describe_edit(edit) for edit in batch.edits.all()],
    }


def write_tracker(desk: Desk) -> Path:
    """Write `batch_tracker.json`: the batch last recorded into, and the last MOST_BATCHES of all."""
    batches = list(
        Batch.objects.filter(workspace=desk.workspace, is_dropped=False)
        .annotate(success=last_success())
        .prefetch_related(Prefetch("edits", Edit.objects.order_by("position").select_related("after")))
        .order_by("-number")[:MOST_BATCHES]
    )
    described = [describe_batch(batch, batch.success) for batch in reversed(batches)]
    content = {
        "batch_size": desk.workspace.batch_size,
        "edit_count": len(described[-1]["edits"]) if described else 0,
        "current_batch": described[-1] if described else None,
        "batches": described,
    }
    return write_json(desk.root, "batch_tracker.json", content)


def last_success() -> Subquery:
    """How the last run of a batch's whole suite ended; null where there was none."""
    runs = BatchRun.objects.filter(batch=OuterRef("pk"), pattern="").order_by("-id")
    return Subquery(runs.values("success")[:1])


def write_results(desk: Desk, batch_run: BatchRun, regressions: Mapping[str, Any]) -> None:
    """Write everything that one run of tests leaves behind."""
    result = batch_run.result
    rows = BatchRun.objects.filter(workspace=desk.workspace).order_by("-id")[:MOST_RESULTS]
    results = [short(result) for result in rows.values_list("result", flat=True).iterator(chunk_size=5)]
    write_json(desk.root, "test_results.json", results[::-1])
    write_json(desk.root, "ci_test_results.json", result)
    keep(folder_of(desk.root) / "ci_test_results.xml", to_junit(result))
    write_json(desk.root, "regressions.json", {"timestamp": result["timestamp"], **regressions})
    batch = batch_run.batch
    if batch is not None:
        edits = [describe_edit(edit) for edit in batch.edits.select_related("after")]
        place = folder_of(desk.root) / f"test_report_batch_{batch.number}.txt"
        keep(place, text_report(result, edits, batch_run.pattern).encode())
    write_tracker(desk)


def write_backup(desk: Desk, batch: Batch) -> int:
    """Write `backups/batch_N/`: each file as it was before the batch; return how many were there then."""
    folder = folder_of(desk.root) / "backups" / f"batch_{batch.number}"
    for parent in (folder.parent, folder):
        demand_folder(parent)
        parent.mkdir(exist_ok=True)
    for place in [folder, *filter(Path.is_dir, folder.rglob("*"))]:
        sweep(place)
    commit = batch.git_commit or git.commit(desk.root)
    keep(folder / "git_commit.txt", f"{commit}\n".encode())
    befores = befores_of(batch)
    there = {path: state for path, state in befores.items() if state and state.kind != FileState.Kind.ABSENT}
    for path, state in there.items():
        write_state(folder, path, state, desk.store)
    return len(there)
