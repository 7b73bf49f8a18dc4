"""What the commands that prove something share: following runs that they drive, the gate, calibration."""

from __future__ import annotations

import signal
import sys
import uuid
from argparse import ArgumentTypeError
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from performance import gate_text, run_text
from performance.foresight import power_before
from performance.gate import (
    BUDGET,
    REGRESSED,
    Gate,
    NoBaseline,
    confirm_gate,
    find_baseline,
    judge_gate,
    note_alarm,
)
from performance.management.driving import drive_here
from performance.models import Component, Workload, WorkloadRun
from performance.readings import measured
from performance.trigger import start_workload_run
from tracking.drive import driver_name
from tracking.management.base import COULD_NOT_RUN, positive
from tracking.management.caller import caller_name
from tracking.models import TestRun

REGRESSION = 2
EVERY = 5  # seconds between two lines of progress


@dataclass
class Following:
    """Runs driven one after the other: what is told meanwhile, and who wants it to end."""

    stream: Any
    wishes: list[str] = field(default_factory=list)
    count: int = 0

    def tell(self, text: str) -> None:
        self.stream.write(text, style_func=str)
        self.stream.flush()

    def show(self, progress: dict[str, Any]) -> None:
        self.count += 1
        if self.count % EVERY == 0:
            self.tell(f"  {run_text.progress_line(progress)}")


@contextmanager
def following(command: Any, options: dict[str, Any]) -> Iterator[Following]:
    """Hear Ctrl-C and SIGTERM while runs are driven; progress goes to standard error with --format json."""
    found = Following(command.stderr if options["format"] == "json" else command.stdout)
    wish = f"{caller_name()} (interrupted)"
    before = {
        number: signal.signal(number, lambda *_: found.wishes.append(wish))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield found
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def drive(started: WorkloadRun, live: Following) -> TestRun:
    """Drive a run in this process to its end."""
    return drive_here(started.pk, say=live.show, stop=lambda: live.wishes[0] if live.wishes else "")


def add_gate(parser: CommandParser) -> None:
    """The arguments of `workload run` that hold what it measures against the baseline."""
    parser.add_argument(
        "--compare", action="store_true", help="exit code 2 where it is worse than the baseline"
    )
    parser.add_argument("--runs", type=positive, default=1, metavar="N", help="with --compare: runs to make")
    parser.add_argument(
        "--budget", type=share, default=BUDGET, help=f"with --compare: share of false alarms; {BUDGET:g}"
    )
    parser.add_argument(
        "--calibrate", type=positive, default=0, metavar="N", help="N identical runs, to learn the noise"
    )


def tell_power(
    command: Any, workload: Workload, component: Component | None, options: dict[str, Any]
) -> None:
    """Say what one run could show, before it is made."""
    stream = command.stderr if options["format"] == "json" else command.stdout
    stream.write(power_before(workload, component=component).sentence, style_func=str)
    stream.flush()


def compare_with_baseline(
    command: Any, workload: Workload, component: Component | None, options: dict[str, Any]
) -> NoReturn:
    """Make the runs, hold them against the baseline, and end with what follows for CI.

    A run that is worse is made once more: only what is worse again counts.
    """
    branch = options["branch"][:255]
    try:
        find_baseline(workload, component=component, branch=branch)
    except NoBaseline as problem:
        raise CommandError(str(problem), returncode=COULD_NOT_RUN) from None
    with following(command, options) as live:
        made = _runs(live, workload, component, options, options["runs"])
        if not made:
            sys.exit(COULD_NOT_RUN)
        found = judge(made, options)
        if found.status == REGRESSED and not live.wishes:
            more = found.runs_to_confirm
            live.tell(f"{found.sentence} It is run {'once' if more == 1 else f'{more} times'} more.")
            again = _runs(live, workload, component, options, more)
            found = confirm_gate(found, again) if again else found
    note_alarm(found, timezone.now())
    show_gate(command, found, options)
    failed = any(run.run.status == "failed" for run in made)
    sys.exit(REGRESSION if found.status == REGRESSED else int(failed))


def _runs(
    live: Following, workload: Workload, component: Component | None, options: dict[str, Any], count: int
) -> list[WorkloadRun]:
    """Make `count` runs and return those that were measured whole; none where one was not."""
    made = []
    for _ in range(count):
        started = start_workload_run(
            workload,
            component=component,
            triggered_by=options["triggered_by"] or caller_name(),
            branch=options["branch"][:255],
            commit_sha=options["commit"][:40],
            seed=options["seed"],
            now=timezone.now(),
            driver=driver_name("workload"),
        )
        live.tell(f"Test Run ID: {started}")
        drive(started, live)
        ended = WorkloadRun.objects.for_driving().get(pk=started.pk)
        if not measured(ended):
            why = ended.generator_limit or ended.stopped_early or ended.run.reason or ended.run.status
            live.tell(f"It can't be compared: {why}")
            return []
        made.append(ended)
    return made


def gate(command: Any, runs: Sequence[WorkloadRun], options: dict[str, Any]) -> Gate:
    """Hold runs against the baseline and print what was found; exit code 3 where there is none."""
    found = judge(runs, options)
    note_alarm(found, timezone.now())
    show_gate(command, found, options)
    return found


def judge(runs: Sequence[WorkloadRun], options: dict[str, Any]) -> Gate:
    try:
        return judge_gate(runs, budget=options["budget"], by_request=options.get("by_request", False))
    except NoBaseline as problem:
        raise CommandError(str(problem), returncode=COULD_NOT_RUN) from None


def show_gate(command: Any, found: Gate, options: dict[str, Any]) -> None:
    if options["format"] == "json":
        command.print_json(found.as_json())
    else:
        command.say(*gate_text.lines(found))


def calibrate(
    command: Any, workload: Workload, component: Component | None, options: dict[str, Any]
) -> list[WorkloadRun]:
    """Make identical runs, which tell how much runs of this workload differ when nothing has changed."""
    made: list[WorkloadRun] = []
    name = uuid.uuid4().hex[:12]
    with following(command, options) as live:
        for number in range(1, options["calibrate"] + 1):
            started = start_workload_run(
                workload,
                component=component,
                purpose=WorkloadRun.Purpose.CALIBRATION,
                triggered_by=options["triggered_by"] or caller_name(),
                branch=options["branch"][:255],
                commit_sha=options["commit"][:40],
                metadata={"calibration": name},
                now=timezone.now(),
                driver=driver_name("workload"),
            )
            live.tell(f"Calibration {number}/{options['calibrate']}: {started}")
            drive(started, live)
            made.append(started)
            if live.wishes:
                break
    return made


def share(text: str) -> float:
    """A share between 0 and 1, for argparse."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1:
        raise ArgumentTypeError(f"{text!r} is no share between 0 and 1, as in 0.01")
    return value
