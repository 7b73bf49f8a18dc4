"""Edits in batches: record them, test every full batch, and go back."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from analysis.wording import count
from batches import jobs, logs
from batches.backups import back_up
from batches.baselines import NONE_YET, NoBaseline, find_baseline, set_baseline
from batches.management.desk import told_plainly
from batches.management.recording import RecordingCommand
from batches.management.words import add_words
from batches.models import Batch
from batches.planning import set_interpreter
from batches.preview import show
from batches.recording import Desk, last_batch, reset, untested
from batches.rollback import roll_back, show_undo, undo, unfinished
from batches.status import suggestion
from tracking.management.caller import caller_name

_VERDICTS = {None: "not tested", True: "passed", False: "failed"}


class Command(RecordingCommand):
    help = "Record edits in batches, test every full one, and take a batch back."

    def add_arguments(self, parser: CommandParser) -> None:
        add_words(parser, self.add_place)

    def handle(self, *args: Any, **options: Any) -> None:
        word = options["word"].replace("-", "_")
        with told_plainly():
            getattr(self, "run_now" if word == "test" else word)(options)

    def run_now(self, options: dict[str, Any]) -> None:
        desk = self.desk(options)
        batch = last_batch(desk.workspace)
        if options["background"]:
            self.hand_over(desk, "test", batch, options, pattern=options["pattern"])
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
        for batch in told["batches"]:
            edits = count(len(batch["edits"]), "edit")
            self.say(f"  batch {batch['batch_id']}: {edits}, {_VERDICTS[batch['success']]}")
        self._tell_jobs(desk)
        left = untested(desk.workspace)
        if left:
            self.say(f"Batch {left.number} is complete and was not tested: `batch test` runs the tests.")
        cut_off = unfinished(desk)
        if cut_off:
            self.say(f"A rollback was cut off: `batch rollback {cut_off.batch.number}` ends it.")
        self.say(suggestion(desk.workspace))

    def _tell_jobs(self, desk: Desk) -> None:
        going = list(jobs.open_jobs(desk.workspace).order_by("id"))
        for job in going:
            self.say(f"In the background: {job}, {job.status}, asked for by {job.requested_by}.")
        last = jobs.last_ended(desk.workspace)
        if last and not going:
            self.say(f"Last in the background: {last}, {last.status}. {last.message}".rstrip())

    def backup(self, options: dict[str, Any]) -> None:
        desk, number = self.desk(options), options["number"]
        kept, folder = back_up(desk, number, actor=caller_name())
        if folder:
            text = f"Backup of {count(kept, 'file')}: {folder}/"
        else:
            text = f"Kept the present state of {count(kept, 'file')} before batch {number}."
        self._answer(options, text, batch_id=number, files=kept, folder=str(folder) if folder else None)

    def rollback(self, options: dict[str, Any]) -> None:
        desk = self.desk(options)
        batch = self.batch(desk, options["number"])
        rows = (show_undo if options["undo"] else show)(desk, batch)
        is_json = options["format"] == "json"
        if not is_json:
            self.say(*(f"  {row['action']}: {row['path']}{_against(row)}" for row in rows))
        elif options["dry_run"]:
            self.print_json({"batch_id": batch.number, "files": rows, "result": None})
        if options["dry_run"]:
            return
        if options["background"]:
            kind = "undo" if options["undo"] else "rollback"
            wanted = {"force": options["force"], "no_test": options["no_test"]}
            self.hand_over(desk, kind, batch, options, **wanted)
            return
        verb = undo if options["undo"] else roll_back
        done = verb(desk, batch, force=options["force"], actor=caller_name(), now=timezone.now())
        with desk.lock():
            logs.write_tracker(desk)
        tell = self.aside if is_json else self.say
        tell(done.sentence)
        tested = None if options["no_test"] else self.test(desk, options)
        if is_json:
            result = tested.result if tested else None
            self.print_json({"batch_id": batch.number, "files": rows, "result": result})
        elif tested:
            self.tell_result(tested)
        if tested:
            self.finish(tested)

    def reset(self, options: dict[str, Any]) -> None:
        desk = self.desk(options)
        with desk.lock():
            number = reset(desk, actor=caller_name(), now=timezone.now())
            logs.write_tracker(desk)
        stay = "1 batch stays" if number == 1 else f"{number} batches stay"
        self._answer(options, f"The tracker is reset; {stay} in the history.", batches=number)

    def baseline(self, options: dict[str, Any]) -> None:
        desk, name = self.desk(options), options["name"]
        if options["background"]:
            wanted = {"isolated": True, "set_baseline": True, "name": name}
            self.hand_over(desk, "test", None, options, **wanted)
            return
        tested = self.test(desk, options, isolated=True)
        self.tell(tested, options)
        if not tested.trouble:
            set_baseline(desk, tested.result, name=name, actor=caller_name(), now=timezone.now())
            self.aside("The baseline is set.")
        self.finish(tested)

    def compare(self, options: dict[str, Any]) -> None:
        desk, name = self.desk(options), options["name"]
        baseline = find_baseline(desk, name=name)
        if baseline is None:
            raise NoBaseline(NONE_YET)
        if options["background"]:
            wanted = {"isolated": True, "compare": True, "name": name}
            self.hand_over(desk, "test", None, options, **wanted)
            return
        tested = self.test(desk, options, isolated=True, baseline=baseline)
        self.tell(tested, options, is_compared=True)
        self.finish(tested, is_compared=True)

    def settings(self, options: dict[str, Any]) -> None:
        desk = self.desk(options)
        if options["python"]:
            set_interpreter(desk.workspace, self.order(options, isolated=False), self.around())
        size, python = desk.workspace.batch_size, desk.workspace.python
        text = f"Batches of {count(size, 'edit')}; tests run with {python or 'the Python that is found'}."
        self._answer(options, text, workspace=str(desk.root), batch_size=size, python=python or None)

    def batch(self, desk: Desk, number: int) -> Batch:
        found = Batch.objects.filter(workspace=desk.workspace, number=number).first()
        if found is None:
            raise CommandError(f"There is no batch {number} here. `batch status` lists them.")
        return found

    def _answer(self, options: dict[str, Any], text: str, **told: Any) -> None:
        if options["format"] == "json":
            self.print_json(told)
        else:
            self.say(text)


def _against(row: dict[str, Any]) -> str:
    return f" ({row['problem']})" if row["problem"] else ""
