"""Definitions that start by the clock."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone

from access.models import Project
from analysis import cron
from tracking.models.definitions import Environment, TestDefinition
from tracking.models.runs import TestRun
from tracking.querysets import ScheduleQuerySet


def validate_cron(line: str) -> None:
    try:
        cron.parse(line)
    except ValueError as problem:
        raise ValidationError(str(problem)) from problem


def validate_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError) as problem:
        raise ValidationError(
            f"There is no time zone {name!r}. Write it as Europe/Berlin or UTC."
        ) from problem


class Schedule(models.Model):
    """Run `definition` on `environment` at the times of `cron`.

    `next_at` is the tick that comes next.  Whoever moves it forward has claimed that tick, so that any
    number of schedulers start one run for it.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="schedules")
    definition = models.ForeignKey(TestDefinition, models.CASCADE, related_name="schedules")
    environment = models.ForeignKey(Environment, models.CASCADE, related_name="schedules")
    branch = models.CharField(max_length=255, blank=True, help_text="Empty: the environment's.")
    cron = models.CharField(
        "times",
        max_length=100,
        validators=[validate_cron],
        help_text="Minute, hour, day of the month, month, weekday, as in 30 2 * * 1-5.",
    )
    time_zone = models.CharField(
        max_length=64, default="UTC", validators=[validate_zone], help_text="As in Europe/Berlin."
    )
    enabled = models.BooleanField(default=True)
    next_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="The tick that was last.")
    last_run = models.ForeignKey(
        TestRun, models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    problem = models.TextField(blank=True, editable=False, help_text="Why the last tick started no run.")
    created_by = models.CharField(max_length=255, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ScheduleQuerySet.as_manager()

    class Meta:
        ordering = ["project", "id"]
        indexes = [models.Index(fields=["next_at"], name="schedules_due_idx", condition=Q(enabled=True))]

    def __str__(self) -> str:
        return f"{self.definition} on {self.environment}: {self.cron}"

    def clean(self) -> None:
        places = {
            "definition": self.definition if self.definition_id else None,
            "environment": self.environment if self.environment_id else None,
        }
        strange = [name for name, row in places.items() if row and row.project_id != self.project_id]
        if strange:
            raise ValidationError(dict.fromkeys(strange, "It belongs to another project."))

    def tick_after(self, moment: datetime) -> datetime | None:
        """The first tick after `moment`."""
        return cron.parse(self.cron).next_after(moment, ZoneInfo(self.time_zone))
