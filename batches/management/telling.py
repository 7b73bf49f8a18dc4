"""What the commands of batches say about a run of tests."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from analysis.wording import count
from batches.copies import Search
from batches.models import Batch
from batches.progress import percent_of
from batches.testing import Tested
from tracking.management.base import TestRunningCommand


class TellingCommand(TestRunningCommand):
    """A command that tells what came of tests."""

    def tell(self, tested: Tested, options: Mapping[str, Any], *, is_compared: bool = False) -> None:
        """Print what came of the tests, and with a baseline what became worse."""
        if options["format"] == "json":
            worse = {"regressions": dict(tested.regressions)} if is_compared else {}
            self.print_json({**tested.result, **worse})
            return
        self.tell_result(tested)
        if is_compared:
            self.tell_regressions(tested)

    def tell_result(self, tested: Tested) -> None:
        result = tested.result
        word = self.style.SUCCESS("PASSED") if result["success"] else self.style.ERROR("FAILED")
        self.say(
            f"{word}: {count(result['total_tests'], 'test')}, {result['passed_tests']:,} passed, "
            f"{result['failed_tests']:,} failed, {result['skipped_tests']:,} skipped "
            f"in {result['duration_seconds']:.2f} s"
        )
        for failure in result["failures"]:
            self.say("  {type}: {test_class}.{test_name} {file_location}".format_map(failure))
        if tested.test_run_id:
            where = "" if tested.batch_run.run else f" (sent to {os.environ.get('RUNTRAIL_URL')})"
            self.say(f"Test Run ID: {tested.test_run_id}{where}")

    def tell_regressions(self, tested: Tested) -> None:
        found = tested.regressions
        for row in found["new_failures"]:
            self.say(f"  NEW FAILURE: {row['test_name']}")
        for row in found["performance_degradations"]:
            self.say(
                f"  SLOWER: {row['test_name']} {row['baseline_seconds']} s -> {row['current_seconds']} s"
            )
        if found["unconfirmed"]:
            self.say(f"  {len(found['unconfirmed'])} slower, unconfirmed")
        number = len(found["new_failures"]) + len(found["performance_degradations"])
        self.say(
            f"Regressions: {number}. See {tested.batch_run.workspace.root}/test_batch_logs/regressions.json"
        )

    def tell_search(self, batch: Batch, found: Search) -> None:
        if found.why_not:
            self.aside(f"Which edit it was can't be searched for: {found.why_not}.")
        for position, tests in found.blamed().items():
            edit = batch.edits.get(position=position)
            share = max(found.verdicts[test].suspicion[position - 1] for test in tests)
            self.aside(
                f"Suspected: edit {position}, {edit.path} ({share:.1%}, {count(found.reruns, 'rerun')}): "
                f"{count(len(tests), 'failing test')}, as {tests[0]}"
            )
        for test, verdict in found.verdicts.items():
            if verdict.was_before:
                self.aside(f"It failed before this batch: {test}")
            elif verdict.is_sure and not verdict.edit:
                self.aside(f"No edit is to blame, it is flaky: {test} ({count(verdict.reruns, 'rerun')})")
            elif not verdict.is_sure:
                self.aside(f"Which edit it was stays open after {count(verdict.reruns, 'rerun')}: {test}")

    def percent(self, text: str) -> None:
        """How far pytest is, on one line of the terminal."""
        done = percent_of(text)
        if done is not None:
            end = "\n" if done == 100 else ""
            self.stderr.write(f"\r{done:>3} %", style_func=str, ending=end)
            self.stderr.flush()

    def show(self, text: str) -> None:
        self.stdout.write(text, ending="")
        self.stdout.flush()

    def show_aside(self, text: str) -> None:
        self.stderr.write(text, style_func=str, ending="")
        self.stderr.flush()

    def aside(self, text: str) -> None:
        """A line beside the results, so that those can be piped."""
        self.stderr.write(text, style_func=str)
