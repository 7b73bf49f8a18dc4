"""Runs that retention let go: list them, look into one, put one back."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.core.files.storage import storages
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from analysis.wording import in_words
from tracking.archives import Unrestorable, archived, read_archive, restore
from tracking.management.base import RuntrailCommand


class Command(RuntrailCommand):
    help = "List archived runs; with an ID show what was kept of it, with --restore put it back."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("test_run_id", metavar="ID", nargs="?", help="test run id of an archived run")
        parser.add_argument("--month", default="", help="only runs that began then, as in 2026-01")
        parser.add_argument("--restore", action="store_true", help="put the run back, pinned")

    def handle(self, *args: Any, test_run_id: str | None, **options: Any) -> None:
        project, storage = self.project(options["project"]), storages["artifacts"]
        if test_run_id is None:
            if options["restore"]:
                raise CommandError("Name the run to restore.")
            return self._list(list(archived(storage, project, month=options["month"])), options)
        try:
            content = read_archive(storage, project, test_run_id)
            if options["restore"]:
                run = restore(content, project, now=timezone.now())
                return self.say(f"{run} is back, and pinned: retention leaves it alone until it is unpinned.")
        except Unrestorable as problem:
            raise CommandError(str(problem)) from None
        if options["format"] == "json":
            return self.print_json(content)
        return self.say(*told(content))

    def _list(self, rows: list[tuple[str, str]], options: dict[str, Any]) -> None:
        if options["format"] == "json":
            return self.print_json([{"test_run_id": name, "month": month} for name, month in rows])
        self.say(*(f"{month}  {name}" for name, month in rows))
        return self.say(f"{len(rows)} archived runs.")


def told(content: dict[str, Any]) -> list[str]:
    """An archived run in a few lines."""
    run = content["run"]
    ends = Counter(row["conclusion"] or "open" for row in content["workflows"])
    lines = [
        f"Test Run ID: {run['test_run_id']}",
        f"Definition: {run['definition']}, on {run['environment']}",
        f"Status: {run['status']}" + (f" ({run['reason']})" if run["reason"] else ""),
        f"From {run['started_at']} to {run['completed_at']}, by {run['triggered_by']}",
        "Workflows: " + (", ".join(f"{count} {end}" for end, count in ends.most_common()) or "none"),
    ]
    for part in ("queue", "execution", "total"):
        seconds = [row[part] for row in content["attempts"] if row[part] is not None]
        if seconds:
            lines.append(
                f"{part.capitalize()}: mean {in_words(sum(seconds) / len(seconds))}, n {len(seconds)}"
            )
    return lines
