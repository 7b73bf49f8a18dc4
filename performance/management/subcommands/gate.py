"""hold a run against the baseline: exit code 2 where it is worse, 3 where there is no baseline"""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandParser

from performance.gate import BUDGET
from performance.management.proving import REGRESSION, gate, share


def add(parser: CommandParser) -> None:
    parser.add_argument("run_id", nargs="+", metavar="RUN_ID", help="one run, or several of the same commit")
    parser.add_argument(
        "--budget", type=share, default=BUDGET, help=f"share of false alarms; default: {BUDGET:g}"
    )
    parser.add_argument("--by-request", action="store_true", help="also every request alone")


def run(command: Any, options: dict[str, Any]) -> None:
    runs = [command.workload_run_named(name) for name in options["run_id"]]
    found = gate(command, runs, options)
    if found.status == "regressed":
        sys.exit(REGRESSION)
