"""Edits in batches: record them, test every full batch, and go back."""

from __future__ import annotations

import contextlib
import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from access import audit
from batches import git, jobs, logs
from batches.hook import install_hook, remove_hook
from batches.management.commands.ci_batch_tests import chosen_baseline
from batches.management.desk import WorkspaceCommand, terminated_like_interrupted
from batches.management.words import add_words
from batches.models import Batch
from batches.preview import Refused, show
from batches.recording import (
    Desk,
    NothingThere,
    is_change,
    last_batch,
    record_edit,
    reset,
    take_over,
    untested,
)
from batches.rollback import roll_back, undo, unfinished
from batches.status import suggestion
from batches.stock import take_stock
from batches.testing import find_baseline, set_baseline
from batches.watching import watch
from batches.workspace import NotKeepable, OutsideWorkspace, relative_path
from tracking.management.caller import caller_name


class Command(WorkspaceCommand):
    help = "Record edits in batches, test every full one, and take a batch back."

    def add_arguments(self, parser: CommandParser) -> None:
        add_words(parser, self.add_place)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            word = options["word"].replace("-", "_")
            getattr(self, "run_now" if word == "test" else word)(options)
        except (OutsideWorkspace, NotKeepable, NothingThere, Refused) as problem:
            raise CommandError(str(problem)) from None
        except OSError as problem:
            advice = " Make room on the disk and try again; nothing was lost." if is_full(problem) else ""
            raise CommandError(f"{problem}.{advice}") from None

    def record(self, options: dict[str, Any]) -> None:
        root = Path(options["workspace"]) if options["workspace"] else git.top_level(Path.cwd())
        path = relative_path(root, options["file"], Path.cwd())
        desk = self.desk(options, recording=path)
        self.keep(desk, path, options["description"] or options["text"], options)

    def keep(self, desk: Desk, path: str, description: str, options: dict[str, Any]) -> None:
        """Record one edit; test when that filled the batch."""
        if options.get("batch_size"):
            desk.workspace.batch_size = options["batch_size"]
            desk.workspace.save(update_fields=["batch_size"])
        edit = record_edit(desk, path, description, actor=caller_name(), now=timezone.now())
        with desk.lock():
            logs.write_backup(desk, edit.batch)
            logs.write_tracker(desk)
        size = desk.workspace.batch_size
        self.say(f"Recorded {path} (edit {edit.position}/{size} of batch {edit.batch.number})")
        left = untested(desk.workspace, before=edit.batch)
        if left:
            self.say(f"  batch {left.number} is complete and was not tested: `batch test` runs the tests")
        if edit.before is None:
            self.say("  no earlier state is known: a rollback will leave this file alone")
        if edit.batch.closed_at:
            self.say(f"Batch {edit.batch.number} is complete: running the tests …")
            self.test_batch(desk, options, edit.batch)

    def test_batch(self, desk: Desk, options: dict[str, Any], batch: Batch | None) -> None:
        baseline = find_baseline(desk)
        tested = self.test(desk, options, batch=batch, baseline=baseline)
        if options["format"] == "json":
            self.print_json(tested.result)
        else:
            self.tell_result(tested)
            if baseline is not None:
                self.tell_regressions(tested)
            if batch and not tested.result["success"]:
                self.say(f"Report: {desk.root}/test_batch_logs/test_report_batch_{batch.number}.txt")
                self.say(f"Go back with: batch rollback {batch.number}")
        self.finish(tested)

    def run_now(self, options: dict[str, Any]) -> None:
        desk = self.desk(options)
        batch = last_batch(desk.workspace)
        if options["background"]:
            self.hand_over(desk, "test", batch, pattern=options["pattern"], timeout=options["timeout"])
            return
        self.test_batch(desk, options, batch)

    def status(self, options: dict[str, Any]) -> None:
        desk = self.desk(options)
        with desk.lock():
            place = logs.write_tracker(desk)
            told = json.loads(place.read_text())
        if options["format"] == "json":
            self.print_json({**told, "suggestion": suggestion(desk.workspace)})
            return
        current = told["current_batch"]
        self.say(f"Workspace: {desk.root}", f"Batch size: {told['batch_size']}")
        self.say(f"Current batch: {current['batch_id'] if current else 'none'}")
        self.say(f"Edits: {told['edit_count']}/{told['batch_size']}")
        words = {None: "not tested", True: "passed", False: "failed"}
        for batch in told["batches"]:
            self.say(f"  batch {batch['batch_id']}: {len(batch['edits'])} edits, {words[batch['success']]}")
        for job in jobs.open_jobs(desk.workspace):
            self.say(f"In the background: {job}, {job.status}, asked for by {job.requested_by}.")
        left = untested(desk.workspace)
        if left:
            self.say(f"Batch {left.number} is complete and was not tested: `batch test` runs the tests.")
        cut_off = unfinished(desk)
        if cut_off:
            self.say(f"A rollback was cut off: `batch rollback {cut_off.batch.number}` ends it.")
        self.say(suggestion(desk.workspace))

    def backup(self, options: dict[str, Any]) -> None:
        desk = self.desk(options)
        last = last_batch(desk.workspace)
        if options["number"] == (last.number if last else 0) + 1:
            kept = take_stock(desk.workspace, desk.store)
            self.say(f"Kept the present state of {kept} files before batch {options['number']}.")
            return
        batch = self.batch(desk, options["number"])
        with desk.lock():
            number = logs.write_backup(desk, batch)
        audit.record("batch.backup", actor=caller_name(), project=desk.workspace.project, target=batch)
        self.say(f"Backup of {number} files: {desk.root}/test_batch_logs/backups/batch_{batch.number}/")

    def rollback(self, options: dict[str, Any]) -> None:
        desk = self.desk(options)
        batch = self.batch(desk, options["number"])
        if not options["undo"]:
            for row in show(desk, batch):
                problem = f" ({row['problem']})" if row["problem"] else ""
                self.say(f"  {row['action']}: {row['path']}{problem}")
        if options["dry_run"]:
            return
        if options["background"]:
            kind = "undo" if options["undo"] else "rollback"
            self.hand_over(desk, kind, batch, force=options["force"], timeout=options["timeout"])
            return
        verb = undo if options["undo"] else roll_back
        done = verb(desk, batch, force=options["force"], actor=caller_name(), now=timezone.now())
        what = "Undid the rollback of" if done.undoes_id else "Rolled back"
        self.say(f"{what} batch {batch.number}: {len(done.plan)} files.")
        with desk.lock():
            logs.write_tracker(desk)
        if not options["no_test"]:
            tested = self.test(desk, options)
            self.tell_result(tested)
            self.finish(tested)

    def reset(self, options: dict[str, Any]) -> None:
        desk = self.desk(options)
        with desk.lock():
            number = reset(desk, actor=caller_name(), now=timezone.now())
            logs.write_tracker(desk)
        self.say(f"The tracker is reset; {number} batches stay in the history.")

    def baseline(self, options: dict[str, Any]) -> None:
        desk = self.desk(options)
        tested = self.test(desk, options, isolated=True)
        self.tell_result(tested)
        if not tested.trouble:
            set_baseline(desk, tested.result, name=options["name"], now=timezone.now())
            self.say("The baseline is set.")
        self.finish(tested)

    def compare(self, options: dict[str, Any]) -> None:
        desk = self.desk(options)
        baseline = chosen_baseline(desk, name=options["name"])
        if baseline is None:
            raise CommandError("There is no baseline: run `batch baseline` first.")
        tested = self.test(desk, options, isolated=True, baseline=baseline)
        self.tell_result(tested)
        self.tell_regressions(tested)
        self.finish(tested, compared=True)

    def watch(self, options: dict[str, Any]) -> None:
        desk = self.desk(options)
        take_stock(desk.workspace, desk.store)
        left = untested(desk.workspace)
        head = git.commit(desk.root)
        with terminated_like_interrupted(), contextlib.suppress(KeyboardInterrupt):
            if left:
                self.say(f"Batch {left.number} was not tested: running the tests …")
                self.going_on(self.test_batch, desk, options, left)
            for number, paths in enumerate(watch(desk.root)):
                if not number:
                    self.say(f"Watching {desk.root}; Ctrl-C ends it.")
                if (now := git.commit(desk.root)) != head:  # a checkout, a pull, a commit
                    head, paths = now, take_over(desk, paths)
                for path in paths:
                    self.going_on(self.see, desk, path, options)
        self.say("Stopped watching.")

    def see(self, desk: Desk, path: str, options: dict[str, Any]) -> None:
        if is_change(desk, path):
            self.keep(desk, path, "seen by watch", options)

    def going_on(self, work: Callable[..., None], *given: Any) -> None:
        """Do something while watching: red tests and what can't be recorded do not end it."""
        try:
            work(*given)
        except SystemExit:
            pass
        except (NothingThere, NotKeepable, OutsideWorkspace):
            pass
        except (CommandError, OSError) as problem:
            self.stderr.write(str(problem))

    def install_hook(self, options: dict[str, Any]) -> None:
        desk = self.desk(options)
        if options["uninstall"]:
            self.say(remove_hook(desk.root))
            return
        from django.conf import settings

        self.say(install_hook(desk.root, settings.BASE_DIR / "bin" / "runtrail"))

    def batch(self, desk: Desk, number: int) -> Batch:
        found = Batch.objects.filter(workspace=desk.workspace, number=number).first()
        if found is None:
            raise CommandError(f"There is no batch {number} here. `batch status` lists them.")
        return found


def is_full(problem: OSError) -> bool:
    return problem.errno in {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}
