"""The files of `test_batch_logs/`, made from the database each time: one that is damaged is made anew."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from batches import git
from batches.models import Batch, BatchRun, Edit, FileState
from batches.recording import Desk, last_batch
from batches.results import seed_time, short, text_report, to_junit
from batches.store import write_atomically
from batches.workspace import LOGS, OutsideWorkspace, write_state

MOST_RESULTS = 500


def folder_of(root: Path) -> Path:
    """Return the folder, made where it is missing.

    Raises:
        OutsideWorkspace: it is a link.
    """
    folder = root / LOGS
    if folder.is_symlink():
        raise OutsideWorkspace(f"{folder} is a link; it has to be a folder.")
    folder.mkdir(exist_ok=True)
    return folder


def write_json(root: Path, name: str, content: Any) -> Path:
    place = folder_of(root) / name
    write_atomically(place, (json.dumps(content, indent=2) + "\n").encode())
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


def describe_batch(batch: Batch) -> dict[str, Any]:
    run = batch.runs.filter(pattern="").first()
    return {
        "batch_id": batch.number,
        "started_at": seed_time(batch.opened_at),
        "closed_at": seed_time(batch.closed_at) if batch.closed_at else None,
        "git_commit_hash": batch.git_commit,
        "success": run.success if run else None,
        "edits": [describe_edit(edit) for edit in batch.edits.select_related("after")],
    }


def write_tracker(desk: Desk) -> Path:
    """Write `batch_tracker.json`: the batch last recorded into, and all of them."""
    batches = Batch.objects.filter(workspace=desk.workspace, is_dropped=False).order_by("number")
    described = [describe_batch(batch) for batch in batches]
    current = last_batch(desk.workspace)
    content = {
        "batch_size": desk.workspace.batch_size,
        "edit_count": current.edits.count() if current else 0,
        "current_batch": described[-1] if described else None,
        "batches": described,
    }
    return write_json(desk.root, "batch_tracker.json", content)


def write_results(desk: Desk, batch_run: BatchRun, regressions: Mapping[str, Any]) -> None:
    """Write everything that one run of tests leaves behind."""
    result = batch_run.result
    rows = BatchRun.objects.filter(workspace=desk.workspace).order_by("-id")[:MOST_RESULTS]
    write_json(desk.root, "test_results.json", [short(row.result) for row in reversed(rows)])
    write_json(desk.root, "ci_test_results.json", result)
    write_atomically(folder_of(desk.root) / "ci_test_results.xml", to_junit(result))
    write_json(desk.root, "regressions.json", {"timestamp": result["timestamp"], **regressions})
    batch = batch_run.batch
    if batch is not None:
        edits = [describe_edit(edit) for edit in batch.edits.select_related("after")]
        place = folder_of(desk.root) / f"test_report_batch_{batch.number}.txt"
        write_atomically(place, text_report(result, edits).encode())
    write_tracker(desk)


def write_backup(desk: Desk, batch: Batch) -> int:
    """Write `backups/batch_N/`: each file as it was before the batch; return how many."""
    folder = folder_of(desk.root) / "backups" / f"batch_{batch.number}"
    for parent in (folder.parent, folder):
        if parent.is_symlink():
            raise OutsideWorkspace(f"{parent} is a link; it has to be a folder.")
        parent.mkdir(exist_ok=True)
    commit = batch.git_commit or git.commit(desk.root)
    write_atomically(folder / "git_commit.txt", f"{commit}\n".encode())
    written: set[str] = set()
    for edit in batch.edits.select_related("before").order_by("position"):
        if edit.path in written:
            continue
        written.add(edit.path)
        if edit.before is not None and edit.before.kind != FileState.Kind.ABSENT:
            write_state(folder, edit.path, edit.before, desk.store)
    return len(written)
