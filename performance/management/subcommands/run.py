"""put a workload's load on its target and follow it"""

from __future__ import annotations

import signal
import socket
import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.status import Status as LiveLine

from performance import run_text, tasks
from performance.arrivals import stages
from performance.management.driving import drive_here
from performance.models import Component, Workload, WorkloadRun
from performance.specification import FaultySpec, read_spec, spec_of
from performance.trigger import check_workload, start_workload_run
from tracking.drive import driver_name
from tracking.management.base import COULD_NOT_RUN, listed
from tracking.management.caller import caller_name
from tracking.plan import NotRunnable

EXIT_CODES = {"passed": 0, "failed": 1}
PLAIN_EVERY = 5  # seconds between two lines where no terminal is


def add(parser: CommandParser) -> None:
    parser.add_argument("name", metavar="NAME", help="the workload")
    parser.add_argument("--component", default="", help="one of its components instead of its own target")
    parser.add_argument("--branch", default="", help="branch under test")
    parser.add_argument("--commit", default="", help="commit under test")
    parser.add_argument(
        "--seed", type=int, default=None, help="of arrivals and draws; default: the workload's"
    )
    parser.add_argument("--triggered-by", default="", metavar="WHO", help="default: user@host")
    parser.add_argument("--no-wait", action="store_true", help="hand it to the workers and return")
    parser.add_argument("--dry-run", action="store_true", help="show what would be sent; store nothing")
    parser.add_argument("--plain", action="store_true", help="no live line, as where no terminal is")


def run(command: Any, options: dict[str, Any]) -> None:
    workload = command.workload_named(options, options["name"])
    component = _component(workload, options["component"])
    try:
        if options["dry_run"]:
            check_workload(workload, component)
            return command.say(*_preview(workload, component), "Nothing was sent and nothing was stored.")
        started = start_workload_run(
            workload,
            triggered_by=options["triggered_by"] or caller_name(),
            now=timezone.now(),
            component=component,
            branch=options["branch"][:255],
            commit_sha=options["commit"][:40],
            seed=options["seed"],
            driver="" if options["no_wait"] else driver_name("workload"),
        )
    except (NotRunnable, FaultySpec) as refusal:
        raise CommandError(str(refusal)) from None
    if options["no_wait"]:
        return _hand_over(command, started, options)
    return _follow(command, started, options)


def _follow(command: Any, started: WorkloadRun, options: dict[str, Any]) -> None:
    stream = command.stderr if options["format"] == "json" else command.stdout
    wishes: list[str] = []
    by = f"{started.run.triggered_by} (interrupted)"
    before = {
        number: signal.signal(number, lambda *_: wishes.append(by))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    live = _Live(stream, plain=options["plain"])
    live.tell(f"Test Run ID: {started.run.test_run_id}")
    if machines := spec_of(started).workers:
        join = f"workload join {socket.gethostname()} --secret-variable NAME"
        live.tell(f"Waiting for {', '.join(machines)}. Run there: `{join}`.")
    try:
        with live:
            drive_here(started.pk, say=live.show, stop=lambda: wishes[0] if wishes else "")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    ended = command.workload_run_named(started.run.test_run_id)
    if options["format"] == "json":
        command.print_json(run_text.as_json(ended))
    else:
        command.say("", *run_text.summary(ended))
    if code := EXIT_CODES.get(ended.run.status, COULD_NOT_RUN):
        sys.exit(code)


def _hand_over(command: Any, started: WorkloadRun, options: dict[str, Any]) -> None:
    if not tasks.send(str(started.pk)):
        command.stderr.write("No worker can be reached just now; the run begins when the server is started.")
    if options["format"] == "json":
        return command.print_json({"test_run_id": started.run.test_run_id, "status": started.run.status})
    return command.say(
        f"Test Run ID: {started.run.test_run_id}",
        f"Follow it with `workload show {started.run.test_run_id}` or on its page.",
    )


def _component(workload: Workload, name: str) -> Component | None:
    if not name:
        return None
    found: Component | None = workload.components.filter(name=name).first()
    if found is None:
        names = listed(workload.components.values_list("name", flat=True))
        raise CommandError(f"{workload} has no component {name!r}. There are: {names}.")
    return found


def _preview(workload: Workload, component: Component | None) -> list[str]:
    spec = read_spec(workload.spec, own_locustfile=bool(workload.locustfile))
    target = (component.target if component else "") or workload.target
    lines = [f"{workload.name} (version {workload.version}) by {workload.generator} on {target}"]
    lines += [f"  {one.method} {one.path}  ({one.name}, weight {one.weight:g})" for one in spec.requests]
    for stage in stages(spec):
        kind = "warm-up" if stage.is_warmup else "load"
        rates = f"{stage.rate_from:g}"
        if stage.rate_to != stage.rate_from:
            rates += f" to {stage.rate_to:g}"
        lines.append(f"  {stage.begin:g} to {stage.end:g} s: {kind}, {rates} requests a second")
    if not spec.arrival:
        long = f"{spec.total_seconds:g} s" if spec.duration else f"{spec.max_requests:,} requests"
        lines.append(f"  {spec.users} users for {long}")
    return lines


class _Live:
    """One line that is rewritten on a terminal, a plain line every few seconds elsewhere."""

    def __init__(self, stream: Any, *, plain: bool) -> None:
        self.stream, self.line, self.count = stream, None, 0
        if stream.isatty() and not plain:
            console = Console(file=getattr(stream, "_out", stream))
            self.line = LiveLine("starting", console=console)

    def __enter__(self) -> _Live:
        if self.line:
            self.line.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.line:
            self.line.stop()

    def show(self, progress: dict[str, Any]) -> None:
        text = run_text.progress_line(progress)
        if self.line:
            self.line.update(text)
        elif self.count % PLAIN_EVERY == 0:
            self.tell(text)
        self.count += 1

    def tell(self, text: str) -> None:
        self.stream.write(text, style_func=str)
        self.stream.flush()
