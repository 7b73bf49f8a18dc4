"""All phases of the performance track in order against one target: a result for each, and one summary."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from argparse import SUPPRESS, ArgumentTypeError
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from access.models import Project
from performance.management.demo_shop import IMPROVEMENT, NotOpen, demo_workloads, open_shops
from performance.management.proving import Following, following
from performance.management.tracks import drive_track, drive_track_here, track_driver
from performance.models import TrackRun, Workload
from performance.report import track_report
from performance.scene import Improvement
from performance.specification import FaultySpec
from performance.track import FEWEST_ROUNDS, MOST_ROUNDS, ROUNDS, start_track
from performance.track_loads import RATE, SECONDS, load_of_target
from performance.track_result import Phase
from tracking.management.base import COULD_NOT_RUN, TestRunningCommand, positive
from tracking.management.caller import caller_name
from tracking.plan import NotRunnable

OUTPUT = Path("performance_track_summary.json")
SIGNS = {"passed": "✓", "failed": "✕", "error": "‼", "skipped": "–"}


class Command(TestRunningCommand):
    help = (
        "Go through all phases of the performance track in order against one target, and write one summary. "
        "Without --target and --workload the target is the demo's shop, started where it is not open."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--target", default="", metavar="URL", help="one of the project's own hosts")
        what.add_argument("--workload", default="", metavar="NAME", help="a workload of the project")
        parser.add_argument("--output", type=Path, default=OUTPUT, metavar="FILE", help=f"default: {OUTPUT}")
        parser.add_argument("--report", type=Path, default=None, metavar="FILE", help="one HTML file to read")
        parser.add_argument(
            "--seconds", type=positive, default=int(SECONDS), metavar="S", help="length of each load"
        )
        parser.add_argument(
            "--rate", type=positive, default=int(RATE), metavar="N", help="requests in a second"
        )
        parser.add_argument(
            "--rounds", type=rounds, default=ROUNDS, metavar="N", help="runs of each component"
        )
        what.add_argument("--begun", type=UUID, help=SUPPRESS)  # what a worker was asked to drive
        parser.add_argument("--any-port", action="store_true", help="the demo's shop on any free port")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["begun"]:
            self.drive_begun(options["begun"])
            return
        project = self.project(options["project"])
        self.demand_writable(options["output"], options["report"])
        try:
            with (
                self.loads(project, options) as (workload, steps, improvement),
                following(self, options) as live,
            ):
                track = self.go(workload, steps, improvement, live, options)
        except (NotRunnable, FaultySpec, NotOpen) as problem:
            raise CommandError(str(problem)) from None
        options["output"].write_text(json.dumps(track.summary, indent=2) + "\n", encoding="utf-8")
        if options["report"]:
            options["report"].write_text(track_report(track, now=timezone.now()), encoding="utf-8")
        if options["format"] == "json":
            self.print_json(track.summary)
        else:
            self.tell(track, options)
        if track.status != "passed":
            sys.exit(1 if track.status == "failed" else COULD_NOT_RUN)

    def drive_begun(self, pk: UUID) -> None:
        heard: list[str] = []
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: heard.append("the end of the server"))
        drive_track_here(pk, heard=heard)

    @contextlib.contextmanager
    def loads(self, project: Project, options: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
        """The load, the same in steps where there is one, and what the track itself tries to improve."""
        if options["workload"]:
            rows = (
                Workload.objects.of(project).in_use().select_related("project", "definition", "environment")
            )
            found = {one.name: one for one in rows}
            name = options["workload"]
            if name not in found:
                raise CommandError(f"{project} has no workload {name!r}; `workload list` shows them.")
            yield found[name], None, None
            return
        seconds, rate = float(options["seconds"]), float(options["rate"])
        if options["target"]:
            generators, now = list(settings.LOAD_GENERATORS), timezone.now()
            yield (
                load_of_target(
                    project, options["target"], seconds=seconds, rate=rate, generators=generators, now=now
                ),
                None,
                None,
            )
        else:
            with open_shops(settings.BASE_DIR, any_port=options["any_port"]) as addresses:
                yield (*demo_workloads(project, addresses, seconds=seconds, rate=rate), IMPROVEMENT)

    def go(
        self,
        workload: Workload,
        steps: Workload | None,
        improvement: Improvement | None,
        live: Following,
        options: dict[str, Any],
    ) -> TrackRun:
        track = start_track(
            workload,
            by=caller_name(),
            now=timezone.now(),
            rounds=options["rounds"],
            driver=track_driver(),
        )
        return drive_track(
            track,
            workload=workload,
            steps=steps,
            improvement=improvement,
            tell=live.tell,
            show=live.show,
            ended=lambda phase: live.tell(_line(phase)),
            heard=live.wishes,
        )

    def demand_writable(self, *places: Path | None) -> None:
        for place in places:
            if place is not None and not place.absolute().parent.is_dir():
                raise CommandError(f"{place} can't be written: its folder does not exist.")

    def tell(self, track: TrackRun, options: dict[str, Any]) -> None:
        for phase in track.summary["phases"]:
            self.say("", _line(Phase(**phase)), *(f"    {finding}" for finding in phase["findings"]))
        self.say("", f"Performance track: {track.status} in {track.summary['duration']:.0f} s")
        self.say(f"Summary: {options['output'].absolute()}")
        if options["report"]:
            self.say(f"Report: {options['report'].absolute()}")


def _line(phase: Phase) -> str:
    return (
        f"{SIGNS[phase.status]} {phase.name:<22} {phase.status:<8} {phase.passed}/{phase.tests} checks, "
        f"{phase.duration:.1f} s"
    )


def rounds(text: str) -> int:
    """Runs of each component, for argparse."""
    number = positive(text)
    if not FEWEST_ROUNDS <= number <= MOST_ROUNDS:
        raise ArgumentTypeError(
            f"{number} is not {FEWEST_ROUNDS} to {MOST_ROUNDS}; one run of each component has no interval"
        )
    return number
