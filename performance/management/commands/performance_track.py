"""All phases of the performance track in order against one target: a result for each, and one summary."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.storage import storages
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from access.models import Project
from performance.management.demo_shop import IMPROVEMENT, NotOpen, demo_workloads, open_shops
from performance.management.proving import Following, drive, following
from performance.models import TrackRun, Workload, WorkloadRun
from performance.report import track_report
from performance.saving import save_workload
from performance.scene import Scene
from performance.specification import FaultySpec
from performance.track import Phase, run_track
from performance.trigger import start_workload_run
from tracking.drive import driver_name
from tracking.management.base import COULD_NOT_RUN, TestRunningCommand, positive
from tracking.management.caller import caller_name
from tracking.models import Environment
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
        parser.add_argument("--seconds", type=positive, default=8, metavar="S", help="length of each load")
        parser.add_argument("--rate", type=positive, default=50, metavar="N", help="requests in a second")
        parser.add_argument("--rounds", type=positive, default=3, metavar="N", help="runs of each component")
        parser.add_argument("--any-port", action="store_true", help="the demo's shop on any free port")

    def handle(self, *args: Any, **options: Any) -> None:
        project = self.project(options["project"])
        self.demand_writable(options["output"], options["report"])
        try:
            with (
                self.loads(project, options) as (workload, steps, improvement),
                following(self, options) as live,
            ):
                track = self.go(project, workload, steps, improvement, live, options)
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
            yield found[name], found.get(f"{name}-steps"), None
        elif options["target"]:
            yield (*self.of_target(project, options), None)
        else:
            with open_shops(settings.BASE_DIR, any_port=options["any_port"]) as addresses:
                seconds, rate = float(options["seconds"]), float(options["rate"])
                yield (*demo_workloads(project, addresses, seconds=seconds, rate=rate), IMPROVEMENT)

    def of_target(self, project: Project, options: dict[str, Any]) -> list[Workload]:
        """A load of one request, `/`, on a target that has no workload of its own."""
        rate, seconds = float(options["rate"]), float(options["seconds"])
        steps = {"kind": "steps", "rates": [rate / 2, rate, 2 * rate], "step_duration": max(seconds / 2, 1.0)}
        loads = {
            "track": ({"kind": "constant", "rate": rate}, seconds),
            "track-steps": (steps, 3 * max(seconds / 2, 1.0)),
        }
        environment = Environment.objects.filter(project=project, name="local").first()
        if environment is None:
            raise CommandError(f"{project} has no environment `local`; make it first.")
        return [
            save_workload(
                project,
                name,
                target=options["target"],
                spec={
                    "requests": [{"name": "page", "path": "/"}],
                    "arrival": arrival,
                    "duration": length,
                    "warmup": 0.5,
                },
                environment=environment,
                generators=list(settings.LOAD_GENERATORS),
                now=timezone.now(),
            )[0]
            for name, (arrival, length) in loads.items()
        ]

    def go(
        self,
        project: Project,
        workload: Workload,
        steps: Workload | None,
        improvement: Any,
        live: Following,
        options: dict[str, Any],
    ) -> TrackRun:
        track = TrackRun.objects.create(
            project=project,
            workload=workload,
            target=workload.target,
            triggered_by=caller_name(),
            started_at=timezone.now(),
        )

        scene = Scene(
            track=track,
            workload=workload,
            steps=steps,
            make_run=partial(make_run, track, live),
            clock=timezone.now,
            storage=storages["artifacts"],
            improvement=improvement,
            rounds=options["rounds"],
        )
        try:
            return run_track(
                scene, say=lambda phase: live.tell(_line(phase)), is_wanted=lambda: not live.wishes
            )
        finally:  # killed between two phases it must not look as if it went on
            TrackRun.objects.filter(pk=track.pk, status="running").update(
                status="error", completed_at=timezone.now()
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


def make_run(track: TrackRun, live: Following, load: Workload, **fields: Any) -> WorkloadRun:
    """Start a run that belongs to the track, and drive it to its end."""
    metadata = {**fields.pop("metadata", {}), "track": str(track.pk)}
    started = start_workload_run(
        load,
        triggered_by=track.triggered_by,
        now=timezone.now(),
        metadata=metadata,
        driver=driver_name("workload"),
        **fields,
    )
    live.tell(f"    {started.component or load}: {started}")
    drive(started, live)
    return WorkloadRun.objects.for_driving().get(pk=started.pk)
