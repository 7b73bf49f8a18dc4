"""tell what held the target back in one run"""

from __future__ import annotations

from typing import Any

from django.core.files.storage import storages
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from performance.bottlenecks import analyze
from performance.models import Bottleneck, WorkloadRun
from performance.samples import NoSamples


def add(parser: CommandParser) -> None:
    parser.add_argument("run_id", metavar="RUN_ID", help="as in checkout_20260104_093000_abc123")
    parser.add_argument("--again", action="store_true", help="look at the samples anew")


def run(command: Any, options: dict[str, Any]) -> None:
    found = command.workload_run_named(options["run_id"])
    if found.run.is_running:
        raise CommandError(f"{found} is going on; look again when it has ended.")
    if options["again"] or not found.analyzed_at:
        try:
            analyze(found, storage=storages["artifacts"], now=timezone.now())
        except NoSamples as problem:
            raise CommandError(f"Nothing can be looked for in {found}. {problem}") from None
    rows = list(found.bottlenecks.all())
    if options["format"] == "json":
        return command.print_json({"run": str(found), "bottlenecks": [as_json(row) for row in rows]})
    return command.say(*lines(found, rows))


def lines(workload_run: WorkloadRun, rows: list[Bottleneck]) -> list[str]:
    """What a reader sees, the strongest first."""
    if not rows:
        return [f"Nothing held the target back in {workload_run}, as far as was measured."]
    return [f"What held the target back in {workload_run}:"] + [
        f"{row.rank:>3}. {row.kind:<9} {row.score:.2f}  {row.text}" for row in rows
    ]


def as_json(row: Bottleneck) -> dict[str, Any]:
    names = ("rank", "kind", "name", "score", "share", "text", "evidence")
    return {name: getattr(row, name) for name in names}
