"""make or change the workloads that a file describes"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from performance.specification import FaultySpec
from performance.workload_file import apply_file, read_file
from tracking.management.caller import caller_name
from tracking.plan import NotRunnable


def add(parser: CommandParser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path, help="a TOML or JSON file with [workloads.NAME]")
    parser.add_argument("--dry-run", action="store_true", help="say what would change; store nothing")


def run(command: Any, options: dict[str, Any]) -> None:
    project = command.project(options["project"])
    path: Path = options["file"]
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as problem:
        raise CommandError(f"{path} can't be read: {getattr(problem, 'strerror', problem)}.") from None
    try:
        wanted = read_file(text, folder=path.resolve().parent, is_json=path.suffix == ".json")
        with transaction.atomic():
            changes = apply_file(
                wanted,
                project,
                generators=list(settings.LOAD_GENERATORS),
                by=caller_name(),
                now=timezone.now(),
            )
            transaction.set_rollback(options["dry_run"])
    except (FaultySpec, NotRunnable) as problem:
        raise CommandError(f"{path}:\n{problem}\nNothing was changed.") from None
    if options["format"] == "json":
        return command.print_json({"changes": changes, "dry_run": options["dry_run"]})
    return command.say(*(changes or ["Nothing changes."]))
