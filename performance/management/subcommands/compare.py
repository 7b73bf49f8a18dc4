"""put a workload's load on several components in turn, and rank them"""

from __future__ import annotations

import sys
import time
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from performance import comparison_text
from performance.comparison import (
    MOST_ROUNDS,
    ROUNDS,
    NotComparable,
    start_comparison,
    turns_left,
)
from performance.management.proving import drive, following
from performance.models import Comparison, Component, Workload
from performance.proving import advance_comparison
from performance.trigger import start_workload_run
from tracking.drive import driver_name
from tracking.management.base import COULD_NOT_RUN, listed, positive
from tracking.management.caller import caller_name

WAIT = 1.0  # seconds between two looks at a turn that a worker drives


def add(parser: CommandParser) -> None:
    parser.add_argument("name", metavar="NAME", help="the workload")
    parser.add_argument("--components", default="", metavar="A,B", help="default: all of the workload")
    parser.add_argument(
        "--rounds", type=positive, default=ROUNDS, help=f"runs of each, at most {MOST_ROUNDS}"
    )
    parser.add_argument("--seed", type=int, default=None, help="of the order; default: drawn anew")
    parser.add_argument("--new", action="store_true", help="begin anew where one was interrupted")


def run(command: Any, options: dict[str, Any]) -> None:
    workload = command.workload_named(options, options["name"])
    chosen = _components(workload, options["components"])
    comparison = None if options["new"] else _interrupted(workload, chosen, options["rounds"])
    try:
        if comparison is None:
            comparison = start_comparison(
                workload,
                chosen,
                rounds=options["rounds"],
                seed=options["seed"],
                by=caller_name(),
                now=timezone.now(),
            )
        else:
            command.stderr.write(f"Goes on where it was interrupted: {turns_left(comparison)} runs are left.")
    except NotComparable as problem:
        raise CommandError(str(problem)) from None
    with following(command, options) as live:
        while not live.wishes and comparison.status == Comparison.Status.RUNNING:
            _turn(comparison, live)
            comparison.refresh_from_db()
    if live.wishes and comparison.status == Comparison.Status.RUNNING:
        command.stderr.write("Interrupted; the same command goes on where it stopped, or --new begins anew.")
        sys.exit(COULD_NOT_RUN)
    if options["format"] == "json":
        command.print_json(comparison_text.as_json(comparison))
    else:
        command.say(*comparison_text.lines(comparison))
    if comparison.status != Comparison.Status.DONE:
        sys.exit(COULD_NOT_RUN)


def _turn(comparison: Comparison, live: Any) -> None:
    started = advance_comparison(
        comparison, start=start_workload_run, now=timezone.now(), driver=driver_name("workload")
    )
    if started is None:
        time.sleep(WAIT if comparison.turns.filter(run__run__status="running").exists() else 0)
        return
    left = turns_left(comparison)
    live.tell(f"{left} run{'' if left == 1 else 's'} left: {started.component} ({started})")
    ended = drive(started, live)
    live.tell(f"  {started.component}: {ended.status}" + (f", {ended.reason}" if ended.reason else ""))


def _components(workload: Workload, typed: str) -> list[Component]:
    known = {one.name: one for one in workload.components.all()}
    names = [name.strip() for name in typed.split(",") if name.strip()] or list(known)
    if unknown := [name for name in names if name not in known]:
        raise CommandError(f"{workload} has no component {unknown[0]!r}. There are: {listed(list(known))}.")
    return [known[name] for name in names]


def _interrupted(workload: Workload, chosen: list[Component], rounds: int) -> Comparison | None:
    """A comparison of the same components that somebody began and did not finish."""
    for one in workload.comparisons.filter(status=Comparison.Status.RUNNING, rounds=rounds):
        if {component.pk for component in one.components.all()} == {component.pk for component in chosen}:
            return one
    return None
