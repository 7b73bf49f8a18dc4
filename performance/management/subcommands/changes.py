"""list where the series of workloads changed their level, and decide about it"""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from performance.changes import accept, as_json, describe, dismiss
from performance.models import ChangePoint
from tracking.management.base import positive
from tracking.management.caller import caller_name


def add(parser: CommandParser) -> None:
    parser.add_argument("name", nargs="?", default="", metavar="NAME", help="only those of this workload")
    parser.add_argument("--all", action="store_true", help="doubtful and decided ones too")
    parser.add_argument("--accept", type=positive, metavar="ID", help="it is real")
    parser.add_argument("--dismiss", type=positive, metavar="ID", help="it is none, or none that matters")
    parser.add_argument("--commit", default="", help="with --accept: the commit that made it")
    parser.add_argument("-d", dest="note", default="", metavar="TEXT", help="why")


def run(command: Any, options: dict[str, Any]) -> None:
    rows = ChangePoint.objects.filter(workload__project=command.project(options["project"]))
    rows = rows.select_related(
        "workload__project", "first_run__run", "last_run_before__run", "confirmed_by__run"
    )
    if options["accept"] or options["dismiss"]:
        return _decide(command, rows, options)
    if options["name"]:
        rows = rows.filter(workload=command.workload_named(options, options["name"]))
    found = list((rows if options["all"] else rows.open_alarms())[:100])
    if options["format"] == "json":
        return command.print_json([as_json(row) for row in found])
    if not found:
        return command.say(
            "No alarm is open." + ("" if options["all"] else " --all shows what was decided too.")
        )
    return command.say(*(f"{row.pk:>5} {row.workload} {row.state:9} {describe(row)}" for row in found))


def _decide(command: Any, rows: Any, options: dict[str, Any]) -> None:
    number = options["accept"] or options["dismiss"]
    row = rows.filter(pk=number).first()
    if row is None:
        raise CommandError(f"There is no change {number}. `workload changes --all` shows them.")
    by, now = caller_name(), timezone.now()
    try:
        if options["accept"]:
            accept(row, by=by, now=now, note=options["note"], commit_sha=options["commit"])
        else:
            dismiss(row, by=by, now=now, note=options["note"])
    except ValueError as problem:
        raise CommandError(f"{problem} Say it with -d.") from None
    command.say(f"{row.pk}: {row.state}.")
