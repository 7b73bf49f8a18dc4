"""show what one run measured"""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from performance import run_text


def add(parser: CommandParser) -> None:
    parser.add_argument("run_id", metavar="RUN_ID", help="as in checkout_20260104_093000_abc123")


def run(command: Any, options: dict[str, Any]) -> None:
    found = command.workload_run_named(options["run_id"])
    if options["format"] == "json":
        return command.print_json(run_text.as_json(found))
    return command.say(*run_text.summary(found))
