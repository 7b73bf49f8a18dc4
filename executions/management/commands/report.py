"""Reports of the test history: how tests did, and a desk against CI."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.template.loader import render_to_string
from django.utils import timezone

from access.models import Project
from executions.execution_report import as_csv, branch_data, comparison_data, execution_data
from executions.sides import Side
from tracking.json_text import json_text
from tracking.management.base import RuntrailCommand
from tracking.models import Space

FORMATS = ["html", "md", "json", "csv"]


class Command(RuntrailCommand):
    help = "Write a report: test-execution, or a comparison of spaces or branches."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        what = parser.add_subparsers(dest="what", required=True, metavar="test-execution|comparison")
        execution = what.add_parser("test-execution", help="how tests did, in one space or both")
        execution.add_argument("--space", choices=Space.values, default="")
        comparison = what.add_parser("comparison", help="a desk against CI, or one branch against another")
        comparison.add_argument("--local-vs-ci", action="store_true", help="how each test did in both")
        comparison.add_argument("--base-branch", default="", help="what changed since this branch")
        comparison.add_argument("--head-branch", default="", help="the branch that is judged")
        comparison.add_argument("--space", choices=Space.values, default="", help="of branches: in this one")
        for one in (execution, comparison):
            one.add_argument("--window", type=int, default=None, metavar="DAYS", help="without: all time")
            one.add_argument("--format", choices=FORMATS, default="md", dest="form")
            one.add_argument("--output", type=Path, default=None, help="a file; without: standard output")
            one.add_argument("-p", "--project", dest="its_project", default=None, help="slug of the project")
            one.add_argument("--db", default="", metavar="URL", help="URL of a database, or a SQLite file")
        return parser

    def handle(self, *args: Any, **options: Any) -> None:
        project = self.project(options["its_project"] or options["project"])
        window = options["window"]
        if window is not None and window < 1:
            raise CommandError("--window is a number of days, at least 1.")
        now = timezone.now()
        if options["what"] == "comparison":
            data = self.compared(project, options, window, now)
        else:
            data = execution_data(project, space=options["space"], window=window, now=now)
        what = "branches" if "head_runs" in data else options["what"]
        text = written(data, what, options["form"])
        if options["output"] is None:
            self.stdout.write(text, ending="" if text.endswith("\n") else "\n")
            return
        try:
            options["output"].write_text(text, encoding="utf-8")
        except OSError as problem:
            raise CommandError(f"{options['output']} can't be written: {problem.strerror}.") from None
        self.say(f"Wrote {options['output']}.")

    def compared(self, project: Project, options: dict[str, Any], window: Any, now: Any) -> dict[str, Any]:
        base, head = options["base_branch"], options["head_branch"]
        if options["local_vs_ci"] == bool(base or head):
            raise CommandError("Compare --local-vs-ci, or name --base-branch and --head-branch.")
        if options["local_vs_ci"]:
            return comparison_data(project, window=window, now=now)
        if not (base and head) or base == head:
            raise CommandError("Name two branches: --base-branch and --head-branch.")
        sides = (Side(base, options["space"]), Side(head, options["space"]))
        return branch_data(project, *sides, window=window, now=now)


def written(data: dict[str, Any], what: str, form: str) -> str:
    """Return the report in one of the forms."""
    if form == "json":
        return json_text(data) + "\n"
    if form == "csv":
        return as_csv(data["tests"])
    name = what.replace("-", "_")
    shown = {**data, "tests": data["tests"][:200], "hidden": max(len(data["tests"]) - 200, 0)}
    return render_to_string(f"reports/{name}.{form}", {"report": shown})
