"""Put load on a system of one's own, and see what it did."""

from __future__ import annotations

from argparse import SUPPRESS
from typing import Any

from django.core.management.base import CommandError, CommandParser

from performance.management.subcommands import (
    allow,
    bottlenecks,
    drive,
    import_file,
    join,
    list_workloads,
    load,
    run,
    show,
)
from performance.models import Workload, WorkloadRun
from tracking.management.base import TestRunningCommand, listed

SUBCOMMANDS = {
    "list": list_workloads,
    "run": run,
    "show": show,
    "bottlenecks": bottlenecks,
    "load": load,
    "allow": allow,
    "import": import_file,
    "join": join,
    "drive": drive,
}


class Command(TestRunningCommand):
    help = "List, load, run and look at workloads."

    def add_arguments(self, parser: CommandParser) -> None:
        choices = parser.add_subparsers(dest="subcommand", required=True, metavar="SUBCOMMAND")
        for name, module in SUBCOMMANDS.items():
            inner = choices.add_parser(name, help=module.__doc__, description=module.__doc__)
            # Said after the subcommand too; what was said before it stays.
            inner.add_argument("-p", "--project", default=SUPPRESS, help="slug of the project")
            inner.add_argument("--format", choices=["text", "json"], default=SUPPRESS)
            inner.add_argument("-v", dest="detail", action="store_true", default=SUPPRESS)
            module.add(inner)

    def handle(self, *args: Any, **options: Any) -> None:
        SUBCOMMANDS[options["subcommand"]].run(self, options)

    def workload_named(self, options: dict[str, Any], name: str) -> Workload:
        """The workload `name` of the project, or an error that says which there are."""
        project = self.project(options["project"])
        rows = Workload.objects.of(project).in_use().select_related("project", "definition", "environment")
        found: Workload | None = rows.filter(name=name).first()
        if found is None:
            names = listed(rows.values_list("name", flat=True))
            raise CommandError(
                f"{project} has no workload {name!r}. There are: {names}. "
                "`workload load FILE` adds those of a file; docs/workloads.md tells how to write one."
            )
        return found

    def workload_run_named(self, test_run_id: str) -> WorkloadRun:
        """The workload run of that public name."""
        rows = WorkloadRun.objects.for_driving()
        found: WorkloadRun | None = rows.filter(run__test_run_id=test_run_id).first()
        if found is None:
            raise CommandError(
                f"There is no workload run {test_run_id!r}. `workload list` shows each workload's last one."
            )
        return found
