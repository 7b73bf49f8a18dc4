"""record what was changed to get better, with the runs before and after, and see whether it helped"""

from __future__ import annotations

from argparse import SUPPRESS
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from analysis.wording import count
from performance import optimization_text
from performance.management.proving import drive, following
from performance.models import Optimization, Workload
from performance.optimization import NotRecordable, record_optimization
from performance.proving import advance_retry
from performance.retrying import ask_again
from performance.total_effect import total_effect
from performance.trigger import start_workload_run
from tracking.drive import driver_name
from tracking.management.base import positive
from tracking.management.caller import caller_name


def add(parser: CommandParser) -> None:
    words = parser.add_subparsers(dest="word", required=True, metavar="add|list|show|retry")
    new = words.add_parser("add", help="record one")
    new.add_argument("name", metavar="NAME", help="what it is called")
    new.add_argument("--before", action="append", required=True, metavar="RUN", help="as often as wanted")
    new.add_argument("--after", action="append", required=True, metavar="RUN", help="as often as wanted")
    new.add_argument("-d", "--description", default="", metavar="TEXT", help="what was changed, and why")
    new.add_argument("--commit", default="", help="default: that of the last run after")
    new.add_argument("--retry", action="store_true", help="make more runs where noise hides the effect")
    words.add_parser("list", help="all of them, and their total effect").add_argument(
        "--workload", default="", help="only those of this workload"
    )
    words.add_parser("show", help="one with its figures").add_argument("id", type=positive, metavar="ID")
    words.add_parser("retry", help="make more runs and judge again").add_argument(
        "id", type=positive, metavar="ID"
    )
    for inner in words.choices.values():  # said after the last word too; what was said before it stays
        inner.add_argument("-p", "--project", default=SUPPRESS, help="slug of the project")
        inner.add_argument("--format", choices=["text", "json"], default=SUPPRESS)


def run(command: Any, options: dict[str, Any]) -> None:
    WORDS[options["word"]](command, options)


def _add(command: Any, options: dict[str, Any]) -> None:
    sides = {
        side: [command.workload_run_named(name) for name in options[side]] for side in ("before", "after")
    }
    workload = sides["before"][0].workload
    try:
        made = record_optimization(
            workload,
            options["name"],
            before=sides["before"],
            after=sides["after"],
            description=options["description"],
            commit_sha=options["commit"][:40],
            by=caller_name(),
            now=timezone.now(),
        )
    except NotRecordable as problem:
        raise CommandError(str(problem)) from None
    if options["retry"] and made.verdict == "no proof":
        _make_more_runs(command, made, options)
    _print(command, made, options)


def _retry(command: Any, options: dict[str, Any]) -> None:
    optimization = _named(command, options)
    _make_more_runs(command, optimization, options)
    _print(command, optimization, options)


def _show(command: Any, options: dict[str, Any]) -> None:
    _print(command, _named(command, options), options)


def _list(command: Any, options: dict[str, Any]) -> None:
    project = command.project(options["project"])
    workloads = Workload.objects.of(project)
    if options["workload"]:
        workloads = workloads.filter(pk=command.workload_named(options, options["workload"]).pk)
    rows = list(
        Optimization.objects.filter(workload__in=workloads).select_related("workload").order_by("created_at")
    )
    totals = {one: total_effect(one) for one in workloads.filter(optimizations__in=rows).distinct()}
    if options["format"] == "json":
        return command.print_json(
            {
                "optimizations": [optimization_text.as_json(row) for row in rows],
                "totals": {str(workload): total.as_json() for workload, total in totals.items()},
            }
        )
    if not rows:
        return command.say(
            f"No optimization of {project} was recorded yet. "
            "`workload optimization add NAME --before RUN --after RUN -d TEXT` records one."
        )
    command.say(*(optimization_text.line(row) for row in rows), "")
    return command.say(*(f"{workload}: {total.sentence}" for workload, total in totals.items()))


def _make_more_runs(command: Any, optimization: Optimization, options: dict[str, Any]) -> None:
    try:
        planned = ask_again(optimization, by=caller_name(), now=timezone.now())
    except NotRecordable as problem:
        raise CommandError(str(problem)) from None
    with following(command, options) as live:
        live.tell(f"{count(len(planned), 'more run')}: {', '.join(planned)}")
        while not live.wishes:
            started = advance_retry(
                optimization, start=start_workload_run, now=timezone.now(), driver=driver_name("workload")
            )
            if started is None:
                break
            live.tell(f"{started.run.metadata['side']}: {started}")
            drive(started, live)
            optimization.refresh_from_db()
    optimization.refresh_from_db()
    if optimization.result.get("stopped"):
        command.stderr.write(f"No more runs were made: {optimization.result['stopped']}")


def _named(command: Any, options: dict[str, Any]) -> Optimization:
    rows = Optimization.objects.filter(workload__project=command.project(options["project"]))
    found: Optimization | None = rows.select_related("workload").filter(pk=options["id"]).first()
    if found is None:
        raise CommandError(
            f"There is no optimization {options['id']}. `workload optimization list` shows them."
        )
    return found


def _print(command: Any, optimization: Optimization, options: dict[str, Any]) -> None:
    if options["format"] == "json":
        command.print_json(optimization_text.as_json(optimization))
    else:
        command.say(*optimization_text.lines(optimization))


WORDS = {"add": _add, "list": _list, "show": _show, "retry": _retry}
