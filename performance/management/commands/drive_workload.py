"""Drive one workload run; workers start it, people use `workload run`."""

from __future__ import annotations

import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from performance.management.driving import drive_here


class Command(BaseCommand):
    help = "Drive a workload run that was started elsewhere (used by the workers)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("run", metavar="ID", help="the run's UUID")

    def handle(self, *args: Any, run: str, **options: Any) -> None:
        wished: list[str] = []
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: wished.append("the end of the server"))
        drive_here(run, stop=lambda: wished[0] if wished else "")
