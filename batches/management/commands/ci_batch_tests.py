"""Run every test module by itself, for CI: JSON and JUnit XML, baseline, regressions, exit codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from batches.baselines import (
    NONE_YET,
    NoBaseline,
    demand_writable,
    find_baseline,
    read_baseline,
    set_baseline,
    write_baseline,
)
from batches.management.desk import WorkspaceCommand, told_plainly
from batches.management.words import at_most
from batches.recording import Desk
from batches.regressions import Rule
from batches.testing import Tested
from tracking.management.caller import caller_name


class Command(WorkspaceCommand):
    help = "Run each test module by itself; 0 passed, 1 failed, 2 regressions (--compare), 3 could not run."

    def add_arguments(self, parser: CommandParser) -> None:
        self.add_place(parser)
        parser.add_argument(
            "-p", dest="pattern", type=at_most(255), default="", metavar="PATTERN", help='as in "test_*.py"'
        )
        parser.add_argument("--set-baseline", action="store_true", help="keep these results as the baseline")
        parser.add_argument(
            "--compare", action="store_true", help="against the baseline; exit code 2 if worse"
        )
        parser.add_argument("--baseline-file", default="", metavar="F", help="instead of the kept baseline")
        parser.add_argument("--plain", action="store_true", help="slower is simply 50 %% over the baseline")
        parser.add_argument("--background", action="store_true", help="by the worker of this machine")

    def handle(self, *args: Any, **options: Any) -> None:
        self._refuse_contradictions(options)
        with told_plainly():
            desk = self.desk(options)
            baseline = self._baseline(desk, options)
            if options["background"]:
                names = ("pattern", "set_baseline", "compare", "plain")
                wanted = {name: options[name] for name in names}
                self.hand_over(desk, "test", None, options, isolated=True, **wanted)
                return
            rule = Rule(is_plain=options["plain"])
            tested = self.test(desk, options, isolated=True, baseline=baseline, rule=rule)
            self.tell(tested, options, is_compared=options["compare"])
            if options["set_baseline"] and not tested.trouble:
                self._keep(desk, tested, options["baseline_file"])
        self.finish(tested, is_compared=options["compare"])

    def _refuse_contradictions(self, options: Mapping[str, Any]) -> None:
        if options["set_baseline"] and options["pattern"] and not options["baseline_file"]:
            raise CommandError(
                "The baseline is made of all tests: leave -p out, or name a file with --baseline-file."
            )
        if options["baseline_file"] and options["background"]:
            raise CommandError(
                "--background takes the workspace's own baseline, and reads no file named elsewhere: "
                "leave --baseline-file out, or --background."
            )
        if options["baseline_file"] and not (options["compare"] or options["set_baseline"]):
            self.aside("--baseline-file does nothing without --compare or --set-baseline.")

    def _baseline(self, desk: Desk, options: Mapping[str, Any]) -> Mapping[str, Any] | None:
        if options["set_baseline"] and options["baseline_file"]:
            demand_writable(desk.root, options["baseline_file"])
        if not options["compare"]:
            return None
        if options["baseline_file"]:
            return read_baseline(desk.root, options["baseline_file"])
        found = find_baseline(desk)
        if found is None:
            raise NoBaseline(NONE_YET)
        return found

    def _keep(self, desk: Desk, tested: Tested, named: str) -> None:
        if named:
            write_baseline(desk.root, named, tested.result)
        else:
            set_baseline(desk, tested.result, actor=caller_name(), now=timezone.now())
        self.aside("The baseline is set.")
