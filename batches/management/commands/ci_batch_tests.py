"""Run every test module by itself, for CI: JSON and JUnit XML, baseline, regressions, exit codes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from batches.management.desk import WorkspaceCommand
from batches.recording import Desk
from batches.regressions import Rule
from batches.store import write_atomically
from batches.testing import find_baseline, set_baseline
from batches.workspace import LOGS


class Command(WorkspaceCommand):
    help = "Run each test module by itself; 0 passed, 1 failed, 2 regressions (--compare), 3 could not run."

    def add_arguments(self, parser: CommandParser) -> None:
        self.add_place(parser)
        parser.add_argument("-p", dest="pattern", default="", metavar="PATTERN", help='as in "test_*.py"')
        parser.add_argument("--set-baseline", action="store_true", help="keep these results as the baseline")
        parser.add_argument(
            "--compare", action="store_true", help="against the baseline; exit code 2 if worse"
        )
        parser.add_argument("--baseline-file", default="", metavar="F", help="instead of the kept baseline")
        parser.add_argument("--plain", action="store_true", help="slower is simply 50 %% over the baseline")

    def handle(self, *args: Any, **options: Any) -> None:
        desk = self.desk(options)
        baseline = None
        if options["compare"]:
            named = options["baseline_file"]
            baseline = read_baseline(desk.root, named) if named else chosen_baseline(desk)
            if baseline is None:
                raise CommandError("There is no baseline: run `ci_batch_tests --set-baseline` first.")
        rule = Rule(is_plain=options["plain"])
        tested = self.test(desk, options, isolated=True, baseline=baseline, rule=rule)
        if options["format"] == "json":
            self.print_json(tested.result)
        else:
            self.tell_result(tested)
            if baseline is not None:
                self.tell_regressions(tested)
        if options["set_baseline"] and not tested.trouble:
            if options["baseline_file"]:
                content = json.dumps(tested.result, indent=2) + "\n"
                write_atomically(_place(desk.root, options["baseline_file"]), content.encode())
            else:
                set_baseline(desk, tested.result, now=timezone.now())
            self.stderr_line("The baseline is set.")
        self.finish(tested, compared=baseline is not None)


def chosen_baseline(desk: Desk, *, name: str = "default") -> Mapping[str, Any] | None:
    """The baseline that was set here, or a `baseline_results.json` that came from elsewhere, as in CI."""
    kept = find_baseline(desk, name=name)
    own = read_baseline(desk.root, "") if name == "default" else None
    if own is None or kept is None:
        return kept or own
    is_ours = any(
        own.get("timestamp") == row.result.get("timestamp") and own["tests"] == row.result["tests"]
        for row in desk.workspace.baselines.filter(name=name)
    )
    return kept if is_ours else own


def read_baseline(root: Path, named: str) -> Mapping[str, Any] | None:
    """Return the named file, or the workspace's own `baseline_results.json`; None where that is not there.

    Raises:
        CommandError: the named one is missing, or it is no baseline.
    """
    place = _place(root, named) if named else root / LOGS / "baseline_results.json"
    if not named and not place.exists():
        return None
    try:
        found = json.loads(place.read_text())
        if {"name", "outcome", "seconds"} <= set(
            (found["tests"] or [{"name": 0, "outcome": 0, "seconds": 0}])[0]
        ):
            found.setdefault("modules", [])
            return dict(found)
    except OSError:
        raise CommandError(f"There is no baseline {place}: make one with --set-baseline.") from None
    except (ValueError, KeyError, TypeError):
        pass
    if not named:
        return None  # damaged: the database has it
    raise CommandError(f"{place} is no baseline: make one with --set-baseline.")


def _place(root: Path, named: str) -> Path:
    """A bare name that is not here lies in the logs, where the baseline of the documents is."""
    here = Path(named)
    there = root / LOGS / named
    return there if not here.exists() and here.name == named and there.exists() else here
