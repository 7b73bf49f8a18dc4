"""Apply a runtrail.toml: the profiles of a project, kept in version control."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from access import audit
from access.models import Project
from performance.profile_workloads import TABLES, apply_workloads, foreign_targets, read_workloads
from performance.workload_file import Wanted
from tracking.management.base import RuntrailCommand
from tracking.management.caller import caller_name
from tracking.profile_file import FaultyProfile, Profile, read_profile
from tracking.profiles import apply_profile


class Command(RuntrailCommand):
    help = "Make a project and what belongs to it as a runtrail.toml says; shows what changes."
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
        folder, now = file.resolve().parent, timezone.now()
        try:
            profile, wanted = self.read(text, folder)
            with transaction.atomic():
                changes = apply_profile(profile, str(folder))
                project = Project.objects.get(slug=profile.slug)
                generators, who = list(settings.LOAD_GENERATORS), caller_name()
                changes += apply_workloads(wanted, project, text, generators=generators, by=who, now=now)
                hints = foreign_targets(wanted, project)
                if changes and not dry_run:
                    audit.record("profile.load", actor=who, project=project, target=file, changes=changes)
                transaction.set_rollback(dry_run)
        except FaultyProfile as problem:
            faults = "\n".join(f"  {fault}" for fault in problem.faults)
            raise CommandError(f"{file} was not applied, nothing was changed:\n{faults}") from None
        if options["format"] == "json":
            told = {"project": profile.slug, "changes": changes, "applied": not dry_run, "hints": hints}
            return self.print_json(told)
        self.tell(profile.slug, file, changes, dry_run)
        return self.say(*hints)

    def read(self, text: str, folder: Path) -> tuple[Profile, Wanted]:
        """Both parts of the file, or every fault of both."""
        faults: list[str] = []
        profile, wanted = Profile(""), Wanted()
        try:
            profile = read_profile(text, services=list(settings.CI_SERVICES), others=TABLES)
        except FaultyProfile as problem:
            faults += problem.faults
        try:
            wanted = read_workloads(text, folder=folder)
        except FaultyProfile as problem:
            faults += problem.faults
        if faults:
            raise FaultyProfile(faults)
        return profile, wanted

    def tell(self, slug: str, file: Path, changes: list[str], dry_run: bool) -> None:
        if not changes:
            self.say(f"{slug} is as {file.name} says already; nothing changes.")
            return
        self.say(*changes)
        self.say("Nothing was changed (--dry-run)." if dry_run else f"Applied to {slug}.")
