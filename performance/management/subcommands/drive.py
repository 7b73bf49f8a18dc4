"""drive a run that was begun elsewhere; the workers do this"""

from __future__ import annotations

import signal
from typing import Any
from uuid import UUID

from django.core.management.base import CommandParser

from performance import tasks
from performance.management.driving import drive_here


def add(parser: CommandParser) -> None:
    parser.add_argument("run", metavar="ID", type=UUID, help="the run's UUID")


def run(command: Any, options: dict[str, Any]) -> None:
    wishes: list[str] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: wishes.append("the end of the server"))
    drive_here(options["run"], stop=lambda: wishes[0] if wishes else "")
    tasks.follow_soon()
