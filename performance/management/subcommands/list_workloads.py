"""list the workloads of the project, each with its last run"""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.db.models import OuterRef, Subquery

from performance import run_text
from performance.models import Workload, WorkloadRun


def add(parser: CommandParser) -> None:
    """Nothing is to be told."""


def run(command: Any, options: dict[str, Any]) -> None:
    project = command.project(options["project"])
    its_runs = WorkloadRun.objects.filter(workload=OuterRef("pk")).order_by("-started_at")
    newest = its_runs.values("run__test_run_id")[:1]
    workloads = list(
        Workload.objects.of(project).in_use().select_related("environment").annotate(last=Subquery(newest))
    )
    last = WorkloadRun.objects.for_list().filter(run__test_run_id__in=[one.last for one in workloads])
    runs = {run.run.test_run_id: run for run in last}
    rows = [(one, runs.get(one.last)) for one in workloads]
    if options["format"] == "json":
        return command.print_json([run_text.list_json(*row) for row in rows])
    if not rows:
        return command.say(
            f"{project} has no workloads yet. `workload load FILE` adds those of a file; "
            "docs/workloads.md tells how to write one."
        )
    return command.say(*(run_text.list_line(*row) for row in rows))
