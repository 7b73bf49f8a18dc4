"""Where the time of a run went."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from tracking import report_text
from tracking.management.base import RuntrailCommand
from tracking.models import TestRun, WorkflowRun
from tracking.timing import time_run


class Command(RuntrailCommand):
    help = "Print where the time of one test run went (without --test-run-id: of the latest)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--list", action="store_true", help="list the test runs, newest first")
        parser.add_argument("--limit", type=int, default=50, help="how many to list (default 50)")
        parser.add_argument("--test-run-id", metavar="ID", help="e.g. performance_20260104_093000_abc123")
        parser.add_argument("-e", "--environment", metavar="ENV", help="only runs of this environment")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["test_run_id"]:
            return self.analyze(self.run_named(options["test_run_id"]), options["format"])
        project = self.project(options["project"])
        runs = TestRun.objects.in_project(project).newest_first().select_related("environment", "definition")
        if options["environment"]:
            runs = runs.filter(environment=self.environment(project, options["environment"]))
        if options["list"]:
            return self.print_list(runs, max(options["limit"], 1), options["format"])
        latest = runs.select_related("project").first()
        if latest is None:
            raise CommandError(f"{project} has no test runs yet. `run_tests -e ENV -t PROFILE` starts one.")
        return self.analyze(latest, options["format"])

    def print_list(self, runs: Any, limit: int, form: str) -> None:
        now = timezone.now()
        shown = list(runs[: limit + 1])
        counts = WorkflowRun.objects.filter(run__in=[run.pk for run in shown]).progress()
        if form == "json":
            return self.print_json([_entry(run, counts, now) for run in shown[:limit]])
        if not shown:
            return self.say("No test runs yet. `run_tests -e ENV -t PROFILE` starts one.")
        self.say("Available test runs:", "-" * report_text.RULE)
        for run in shown[:limit]:
            self.say(*report_text.list_entry(run, _count(counts, run), now))
        if len(shown) > limit:
            self.say(f"There are more; --limit {limit * 4} shows them.")
        return None

    def analyze(self, run: TestRun, form: str) -> None:
        times = time_run(run)
        if form == "json":
            return self.print_json(report_text.as_json(run, times))
        sent = run.workflow_runs.exclude(dispatch_state__in=["intended", "refused"]).order_by("position")
        tags = [(str(workflow), workflow.visible_tag) for workflow in sent]
        return self.say(*report_text.analysis(run, times, tags=tags, now=timezone.now()))


def _count(counts: dict[Any, dict[str, int]], run: TestRun) -> int:
    return counts.get(run.pk, {}).get("workflows", 0)


def _entry(run: TestRun, counts: dict[Any, dict[str, int]], now: Any) -> dict[str, Any]:
    return {
        "test_run_id": run.test_run_id,
        "test_type": run.test_type,
        "environment": run.environment.name,
        "status": run.status,
        "start_time": run.started_at.isoformat(),
        "duration_minutes": round(run.duration_so_far(now).total_seconds() / 60, 2),
        "workflow_count": _count(counts, run),
    }
