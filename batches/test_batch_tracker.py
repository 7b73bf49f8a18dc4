"""Batches for scripts: record edits, run the tests, go back.

Works in a plain `python` in the checkout: importing this module sets Django up.

>>> tracker = BatchTestTracker()  # doctest: +SKIP
>>> tracker.record_edit("orchestrator.py", "Fixed bug")  # doctest: +SKIP
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from executions.execution_schema import set_up

set_up()


@dataclass(frozen=True)
class TestResult:
    """How a run of the tests went, as `test_results.json` has it."""

    __test__ = False
    batch_id: int | None
    success: bool
    total_tests: int
    passed_tests: int
    failed_tests: int
    skipped_tests: int
    duration_seconds: float
    failures: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class CurrentBatch:
    """The batch last recorded into; before the first edit the one that it will open."""

    batch_id: int
    edits: list[dict[str, Any]] = field(default_factory=list)


class BatchTestTracker:
    """Edits of a workspace in batches of `BATCH_SIZE`; a full one runs the tests.

    Args:
        workspace: its folder; without one git's top level around the working directory, else that.
        project: slug; without one `default`, or the only one there is.
        python: interpreter that runs the tests; without one it is found.
    """

    BATCH_SIZE = 5

    def __init__(self, workspace: str = "", project: str | None = None, python: str = "") -> None:
        from batches.management.desk import WorkspaceCommand

        self._options: dict[str, Any] = {
            "workspace": str(workspace),
            "project": project,
            "python": python,
            "framework": "",
            "timeout": 3600,
            "detail": False,
        }
        self._command = WorkspaceCommand()
        self.last_result: TestResult | None = None

    @property
    def edit_count(self) -> int:
        """Edits of the batch last recorded into, until the next edit opens another."""
        return len(self.current_batch.edits)

    @property
    def current_batch(self) -> CurrentBatch:
        from batches.logs import describe_edit
        from batches.recording import last_batch, next_number

        workspace = self._desk().workspace
        batch = last_batch(workspace)
        if batch is None:
            return CurrentBatch(next_number(workspace))
        return CurrentBatch(
            batch.number, [describe_edit(edit) for edit in batch.edits.select_related("after")]
        )

    def record_edit(self, file_path: str, description: str = "") -> TestResult | None:
        """Record an edit; return the result of the tests where it filled the batch, else None."""
        from django.utils import timezone

        from batches import git, logs
        from batches.recording import record_edit
        from batches.workspace import relative_path

        root = Path(self._options["workspace"] or git.top_level(Path.cwd()))
        path = relative_path(root, str(file_path), Path.cwd())
        desk = self._command.desk(self._options, recording=path)
        size = self.BATCH_SIZE
        edit = record_edit(desk, path, description, size=size, actor="BatchTestTracker", now=timezone.now())
        with desk.lock():
            logs.write_backup(desk, edit.batch)
            logs.write_tracker(desk)
        return self.run_tests() if edit.batch.closed_at else None

    def run_tests(self, pattern: str = "") -> TestResult:
        """Run the tests for the batch last recorded into.

        Raises:
            CommandError: they could not run.
        """
        from batches.baselines import find_baseline
        from batches.management.desk import told_plainly
        from batches.recording import last_batch

        desk = self._desk()
        with told_plainly():
            tested = self._command.test(
                desk,
                {**self._options, "pattern": pattern},
                batch=last_batch(desk.workspace),
                baseline=find_baseline(desk),
            )
        known = {name: tested.result[name] for name in TestResult.__dataclass_fields__}
        self.last_result = TestResult(**known)
        return self.last_result

    def create_backup(self, batch_id: int) -> Path:
        """Write `backups/batch_N/` and return the folder; for the batch to come, keep all there is.

        Raises:
            NothingThere: there is no such batch, and it is not the next one.
        """
        from batches import logs
        from batches.backups import back_up

        desk = self._desk()
        _, folder = back_up(desk, batch_id, actor="BatchTestTracker")
        return folder or logs.folder_of(desk.root) / "backups" / f"batch_{batch_id}"

    def rollback_batch(self, batch_id: int, force: bool = False) -> bool:
        """Bring back what was before a batch.

        Raises:
            Refused: work would be lost.
            Batch.DoesNotExist: there is none of that number.
        """
        from django.utils import timezone

        from batches import logs
        from batches.rollback import roll_back

        desk = self._desk()
        batch = desk.workspace.batches.get(number=batch_id)
        roll_back(desk, batch, force=force, actor="BatchTestTracker", now=timezone.now())
        with desk.lock():
            logs.write_tracker(desk)
        return True

    def _desk(self) -> Any:
        return self._command.desk(self._options)
