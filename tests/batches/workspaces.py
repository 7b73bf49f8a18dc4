"""Workspaces for tests: a folder with a store, edits in it, and runs that nobody had to wait for."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from batches.models import Batch, BatchRun
from batches.recording import Desk, open_workspace, record_edit
from batches.store import Store
from tests.factories import make_project

NOW = datetime(2026, 1, 4, 9, 0, tzinfo=UTC)


def make_desk(
    folder: Path, *, project: Any = None, host: str = "desk", store: Path | None = None, **files: str
) -> Desk:
    """A workspace `folder/work` with `files` (a.py is a_py), its stock taken."""
    root = folder / "work"
    root.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (root / name.replace("_", ".")).write_text(text)
    kept = Store(store or folder / "store")
    return open_workspace(project or make_project(), root, kept, host=host, now=NOW)


def edit(desk: Desk, path: str, text: str | None = None, **options: Any) -> Batch:
    """Write `text` to a file, record that, and return the batch."""
    if text is not None:
        (desk.root / path).write_text(text)
    return record_edit(desk, path, **{"actor": "ada", "now": NOW, **options}).batch


def result_of(**outcomes: str) -> dict[str, Any]:
    """A result with one test each."""
    tests = [
        {"name": f"test_a.py::{name}", "outcome": word, "seconds": 0.1} for name, word in outcomes.items()
    ]
    bad = [test for test in tests if test["outcome"] in {"failed", "error"}]
    failure = {
        "type": "FAIL",
        "test_class": "test_a",
        "module": "test_a",
        "traceback": "E  no",
        "file_location": "",
    }
    return {
        "batch_id": 1,
        "timestamp": "2026-01-04T09:00:00",
        "success": not bad,
        "total_tests": len(tests),
        "passed_tests": len(tests) - len(bad),
        "failed_tests": len(bad),
        "skipped_tests": 0,
        "duration_seconds": 1.5,
        "git_commit_hash": "",
        "failures": [{**failure, "test_name": test["name"].partition("::")[2]} for test in bad],
        "modules": [],
        "tests": tests,
    }


def make_run(
    batch: Batch, *, run: Any = None, suspicion: dict[str, Any] | None = None, **outcomes: str
) -> BatchRun:
    result = result_of(**(outcomes or {"one": "passed"}))
    return BatchRun.objects.create(
        workspace=batch.workspace,
        batch=batch,
        run=run,
        started_at=NOW,
        success=result["success"],
        total_tests=result["total_tests"],
        failed_tests=result["failed_tests"],
        duration=result["duration_seconds"],
        result=result,
        suspicion=suspicion or {},
    )
