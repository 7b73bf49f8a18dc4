"""say which run later ones are held against"""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from performance.baselines import NotFit, set_baseline
from tracking.management.caller import caller_name


def add(parser: CommandParser) -> None:
    parser.add_argument("run_id", metavar="RUN_ID", help="the run; its equals of the same commit count too")


def run(command: Any, options: dict[str, Any]) -> None:
    found = command.workload_run_named(options["run_id"])
    try:
        baseline = set_baseline(found, by=caller_name(), now=timezone.now())
    except NotFit as problem:
        raise CommandError(str(problem)) from None
    if options["format"] == "json":
        return command.print_json(
            {
                "workload": baseline.workload.name,
                "branch": baseline.branch,
                "component": baseline.component.name if baseline.component else None,
                "run": str(found),
            }
        )
    where = f" on {baseline.branch}" if baseline.branch else ""
    return command.say(f"Runs of {baseline.workload}{where} are now held against {found}.")
