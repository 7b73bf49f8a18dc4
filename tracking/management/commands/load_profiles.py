"""Apply a runtrail.toml: the profiles of a project, kept in version control."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from access import audit
from access.models import Project
from tracking.management.base import RuntrailCommand
from tracking.management.caller import caller_name
from tracking.profile_file import FaultyProfile, read_profile
from tracking.profiles import apply_profile


class Command(RuntrailCommand):
    help = "Make a project, its environments and definitions as a runtrail.toml says; shows what changes."
    takes_project = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path, help="as in runtrail.toml")
        parser.add_argument("--dry-run", action="store_true", help="only show what would change")

    def handle(self, *args: Any, file: Path, dry_run: bool, **options: Any) -> None:
        try:
            text = file.read_bytes().decode()
        except OSError as problem:
            raise CommandError(f"{file} can't be read: {problem.strerror}.") from None
        except UnicodeDecodeError:
            raise CommandError(f"{file} is no text in UTF-8.") from None
        try:
            profile = read_profile(text, services=list(settings.CI_SERVICES))
        except FaultyProfile as problem:
            faults = "\n".join(f"  {fault}" for fault in problem.faults)
            raise CommandError(f"{file} was not applied, nothing was changed:\n{faults}") from None
        changes = apply_profile(profile, str(file.resolve().parent), dry_run=dry_run)
        if changes and not dry_run:
            project = Project.objects.get(slug=profile.slug)
            audit.record("profile.load", actor=caller_name(), project=project, target=file, changes=changes)
        if options["format"] == "json":
            return self.print_json({"project": profile.slug, "changes": changes, "applied": not dry_run})
        if not changes:
            return self.say(f"{profile.slug} is as {file.name} says already; nothing changes.")
        self.say(*changes)
        return self.say("Nothing was changed (--dry-run)." if dry_run else f"Applied to {profile.slug}.")
