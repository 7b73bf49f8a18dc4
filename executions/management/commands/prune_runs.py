"""Apply the retention policies: archive, then delete."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.files.storage import storages
from django.core.management.base import CommandParser
from django.utils import timezone

from analysis.wording import count
from executions.months import drop_old_months
from executions.recount import forget_runs
from tracking.management.base import RuntrailCommand
from tracking.models import RetentionPolicy
from tracking.retention import prune


class Command(RuntrailCommand):
    help = "Archive and delete runs that their retention policies let go; pinned ones stay."
    takes_project = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only show what would go")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        now = timezone.now()
        gone = prune(now, storage=storages["artifacts"], forget=forget_runs, dry_run=dry_run)
        rows = [(one.run.test_run_id, one.run.project.slug, one.run.status, str(one.policy)) for one in gone]
        months = list(drop_old_months(now, keep=settings.RESULT_MONTHS, dry_run=dry_run))
        if options["format"] == "json":
            names = ("test_run_id", "project", "status", "policy")
            return self.print_json([dict(zip(names, row, strict=True)) for row in rows])
        for test_run_id, project, status, policy in rows:
            self.say(f"{test_run_id}  {project}  {status}  ({policy})")
        done = "would go" if dry_run else "went"
        for month in months:
            stay = f"stay: {month.kept_for} is pinned, or something rests on it"
            self.say(f"{month}  {month.results:,} results of tests {stay if month.kept_for else done}")
        if not RetentionPolicy.objects.exists():
            return self.say("There is no retention policy, so every run stays. Add one in the admin.")
        return self.say(f"{count(len(rows), 'run')} {done}.")
