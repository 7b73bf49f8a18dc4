"""The words of `batch` that record edits: by hand, by a watcher, by git's hook; a full batch is tested."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.utils import timezone

from batches import git, logs
from batches.baselines import find_baseline
from batches.hook import install_hook, remove_hook
from batches.management.desk import WorkspaceCommand, terminated_like_interrupted, told_plainly
from batches.models import Batch, Edit
from batches.recording import Desk, NothingThere, is_change, record_edit, take_over, untested
from batches.stock import take_stock
from batches.watching import watch
from batches.workspace import NotKeepable, OutsideWorkspace, relative_path
from tracking.management.caller import caller_name


class RecordingCommand(WorkspaceCommand):
    """A command that records edits and tests the batch that one of them filled."""

    def record(self, options: dict[str, Any]) -> None:
        root = Path(options["workspace"]) if options["workspace"] else git.top_level(Path.cwd())
        path = relative_path(root, options["file"], Path.cwd())
        desk = self.desk(options, recording=path)
        self.keep(desk, path, options["description"] or options["text"], options)

    def keep(self, desk: Desk, path: str, description: str, options: dict[str, Any]) -> None:
        """Record one edit; test when that filled the batch."""
        edit = record_edit(desk, path, description, actor=caller_name(), now=timezone.now())
        with desk.lock():
            logs.write_backup(desk, edit.batch)
            logs.write_tracker(desk)
        batch = edit.batch
        if options["format"] == "text":
            self._tell_edit(desk, edit)
        elif not batch.closed_at:
            self.print_json({**_told(desk, edit), "result": None})
        if batch.closed_at:
            beside = _told(desk, edit) if options["format"] == "json" else None
            self.test_batch(desk, options, batch, beside=beside)

    def test_batch(
        self,
        desk: Desk,
        options: dict[str, Any],
        batch: Batch | None,
        *,
        beside: dict[str, Any] | None = None,
    ) -> None:
        """Run the tests of a batch and end with what came of them.

        Args:
            beside: what was told before, to be printed as JSON together with the result.
        """
        baseline = find_baseline(desk)
        tested = self.test(desk, options, batch=batch, baseline=baseline)
        if beside is not None:
            self.print_json({**beside, "result": tested.result})
        else:
            self.tell(tested, options, is_compared=baseline is not None)
        if batch and not tested.result["success"] and options["format"] == "text":
            self.say(f"Report: {desk.root}/test_batch_logs/test_report_batch_{batch.number}.txt")
            self.say(f"Go back with: batch rollback {batch.number}")
        self.finish(tested)

    def watch(self, options: dict[str, Any]) -> None:
        desk = self.desk(options)
        take_stock(desk.workspace, desk.store)
        left = untested(desk.workspace)
        head = git.commit(desk.root)
        tell = self.say if options["format"] == "text" else self.aside
        with terminated_like_interrupted(), contextlib.suppress(KeyboardInterrupt):
            if left:
                tell(f"Batch {left.number} was not tested: running the tests …")
                self._going_on(self.test_batch, desk, options, left)
            for number, paths in enumerate(watch(desk.root)):
                if not number:
                    tell(f"Watching {desk.root}; Ctrl-C ends it.")
                if (now := git.commit(desk.root)) != head:  # a checkout, a pull, a commit
                    head, paths = now, take_over(desk, paths)
                for path in paths:
                    self._going_on(self._see, desk, path, options)
        tell("Stopped watching.")

    def install_hook(self, options: dict[str, Any]) -> None:
        desk = self.desk(options)
        if options["uninstall"]:
            self.say(remove_hook(desk.root))
        else:
            self.say(install_hook(desk.root, settings.BASE_DIR / "bin" / "runtrail"))

    def _see(self, desk: Desk, path: str, options: dict[str, Any]) -> None:
        if is_change(desk, path):
            self.keep(desk, path, "seen by watch", options)

    def _going_on(self, work: Callable[..., None], *given: Any) -> None:
        """Do something while watching: red tests and what can't be recorded do not end it."""
        try:
            with told_plainly(), contextlib.suppress(SystemExit, NothingThere, NotKeepable, OutsideWorkspace):
                work(*given)
        except CommandError as problem:
            self.stderr.write(str(problem))

    def _tell_edit(self, desk: Desk, edit: Edit) -> None:
        batch, size = edit.batch, desk.workspace.batch_size
        self.say(f"Recorded {edit.path} (edit {edit.position}/{size} of batch {batch.number})")
        left = untested(desk.workspace, before=batch)
        if left:
            self.say(f"  batch {left.number} is complete and was not tested: `batch test` runs the tests")
        if edit.before is None:
            self.say("  no earlier state is known: a rollback will leave this file alone")
        if batch.closed_at:
            self.say(f"Batch {batch.number} is complete: running the tests …")


def _told(desk: Desk, edit: Edit) -> dict[str, Any]:
    """One edit as `--format json` prints it."""
    return {
        "batch_id": edit.batch.number,
        "position": edit.position,
        "batch_size": desk.workspace.batch_size,
        **logs.describe_edit(edit),
    }
