"""For how long runs are kept, and which files go with them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import models
from django.db.models import Q

from access.models import Project
from tracking.models.definitions import Environment
from tracking.models.runs import TestRun


class RetentionPolicy(models.Model):
    """Runs of a project that ended longer ago than `days` are archived and deleted.

    The narrowest policy that fits a run holds: environment and status before one of both before neither.
    Pinned runs and the newest `keep` of each definition and environment stay for ever.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="retention_policies")
    environment = models.ForeignKey(
        Environment, models.CASCADE, null=True, blank=True, related_name="+", help_text="Empty: every one."
    )
    status = models.CharField(
        max_length=50,
        blank=True,
        choices=[(status.value, status.label) for status in TestRun.Status if status.value != "running"],
        help_text="Empty: every end.",
    )
    days = models.PositiveIntegerField(help_text="Days after its end.")
    keep = models.PositiveIntegerField(default=1, help_text="Newest runs of a definition that always stay.")
    archives = models.BooleanField(default=True, help_text="Write the run into a file before it is deleted.")

    class Meta:
        ordering = ["project", "environment", "status"]
        verbose_name_plural = "retention policies"
        constraints = [
            models.UniqueConstraint(fields=["project", "environment", "status"], name="retention_once"),
            models.UniqueConstraint(
                fields=["project", "status"],
                name="retention_everywhere_once",
                condition=Q(environment__isnull=True),
            ),
            models.CheckConstraint(name="retention_days_positive", condition=Q(days__gte=1)),
        ]

    def __str__(self) -> str:
        what = " ".join(filter(None, [self.status, f"on {self.environment}" if self.environment else ""]))
        return f"{what or 'all runs'}: {self.days} days"

    def lets_go_before(self, now: datetime) -> datetime:
        """The time before which a run has to have ended for this policy to let it go."""
        try:
            return now - timedelta(days=self.days)
        except OverflowError:  # more days than the calendar has: nothing ended before that
            return datetime.min.replace(tzinfo=UTC)

    @property
    def narrowness(self) -> int:
        """The greater, the earlier it is asked."""
        return 2 * (self.environment_id is not None) + bool(self.status)


class RunFile(models.Model):
    """A file of a run in the storage `artifacts`.

    The row outlives its run: without one the file is to be deleted, and that can be interrupted and repeated.
    """

    name = models.CharField(max_length=255, unique=True)
    run = models.ForeignKey(TestRun, models.SET_NULL, null=True, blank=True, related_name="files")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
