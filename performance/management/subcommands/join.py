"""take part, from another machine, in a load by Locust that has this one among its `workers`"""

from __future__ import annotations

import os
from typing import Any

from django.core.management.base import CommandError, CommandParser

from performance.generators.joining import JOIN_PORT, join


def add(parser: CommandParser) -> None:
    parser.add_argument("host", metavar="HOST", help="the machine that leads the load")
    parser.add_argument("--port", type=int, default=JOIN_PORT)
    parser.add_argument(
        "--secret-variable", required=True, metavar="NAME", help="variable with the workload's secret `join`"
    )


def run(command: Any, options: dict[str, Any]) -> None:
    secret = os.environ.get(options["secret_variable"], "")
    if not secret:
        raise CommandError(f"The variable {options['secret_variable']} is not set here.")
    try:
        code = join(options["host"], options["port"], secret)
    except OSError as problem:
        where = f"{options['host']}:{options['port']}"
        raise CommandError(f"The load on {where} can't be joined: {problem}.") from None
    if code:
        raise CommandError("Locust ended here before the load did.")
    command.say("The load has ended.")
