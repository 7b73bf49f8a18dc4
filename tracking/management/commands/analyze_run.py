"""Where the time of a run went."""

from __future__ import annotations

from itertools import islice
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from tracking import report_text
from tracking.identifiers import environment_name
from tracking.management.base import RuntrailCommand, positive
from tracking.management.progress import times_of
from tracking.models import TestRun, WorkflowAttempt, WorkflowRun
from tracking.timing import time_run

SOME = 200  # runs read at once while listing


class Command(RuntrailCommand):
    help = "Print where the time of one test run went (without --test-run-id: of the latest)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--list", action="store_true", help="list the test runs, newest first")
        parser.add_argument("--limit", type=positive, default=50, help="how many to list (default 50)")
        parser.add_argument("--test-run-id", metavar="ID", help="e.g. performance_20260104_093000_abc123")
        parser.add_argument("-e", "--environment", metavar="ENV", help="only runs of this environment")

    def handle(self, *args: Any, **options: Any) -> None:
        self.options = options
        if options["list"]:
            return self.print_list(self.runs())
        if options["test_run_id"]:
            return self.analyze(self.wanted(options["test_run_id"], options["environment"]))
        latest = self.runs().select_related("project").first()
        if latest is None:
            raise CommandError(f"There are no test runs yet. {_HOW_TO_START}")
        return self.analyze(latest)

    def runs(self) -> Any:
        """The runs that were asked for, newest first."""
        project = self.project(self.options["project"])
        runs = TestRun.objects.in_project(project).newest_first().select_related("environment", "definition")
        if self.options["environment"]:
            runs = runs.filter(environment=self.environment(project, self.options["environment"]))
        return runs

    def wanted(self, test_run_id: str, environment: str | None) -> TestRun:
        run = self.run_named(test_run_id)
        if environment and environment_name(environment) != run.environment.name:
            raise CommandError(f"{run} ran on {run.environment}, not on {environment}: leave out -e.")
        return run

    def print_list(self, runs: Any) -> None:
        limit, now = self.options["limit"], timezone.now()
        if self.options["format"] == "json":
            return self.print_json([report_text.list_json(run, n, now) for run, n in _counted(runs[:limit])])
        is_empty = True
        for run, workflows in _counted(runs[:limit]):
            if is_empty:
                self.say("Available test runs:", "-" * report_text.RULE)
                is_empty = False
            self.say(*report_text.list_entry(run, workflows, now))
        if is_empty:
            return self.say(f"There are no test runs yet. {_HOW_TO_START}")
        if runs[limit : limit + 1]:
            self.say(f"There are more; --limit {limit * 4} shows them.")
        return None

    def analyze(self, run: TestRun) -> None:
        times = time_run(run)
        sent = run.workflow_runs.exclude(dispatch_state__in=["intended", "refused"]).order_by("position")
        tags = [(str(workflow), workflow.visible_tag) for workflow in sent]
        if self.options["format"] == "json":
            return self.print_json(report_text.as_json(run, times, tags=tags))
        self.say(*report_text.analysis(run, times, tags=tags, now=timezone.now()))
        if self.options["detail"]:
            self.print_workflows(run)
        return None

    def print_workflows(self, run: TestRun) -> None:
        newest = WorkflowAttempt.objects.filter(workflow__run=run).newest()
        attempts = {attempt.workflow_id: attempt for attempt in newest}
        self.say("", "Workflows:")
        for workflow in run.workflow_runs.order_by("position"):
            attempt = attempts.get(workflow.pk)
            state = workflow.conclusion or (attempt.status if attempt else "") or workflow.dispatch_state
            reason = f"  ({workflow.reason})" if workflow.reason else ""
            self.say(f"  {workflow} {state}{times_of(attempt)}{reason}")


def _counted(runs: Any) -> Any:
    """Each run with the number of its workflows, a few hundred at a time."""
    found = runs.iterator(chunk_size=SOME)
    while some := list(islice(found, SOME)):
        counts = WorkflowRun.objects.filter(run__in=[run.pk for run in some]).progress()
        for run in some:
            yield run, counts.get(run.pk, {}).get("workflows", 0)


_HOW_TO_START = "`run_tests -e ENV -t PROFILE` starts one."
