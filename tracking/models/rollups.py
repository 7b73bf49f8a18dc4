"""Figures kept ready, so that a page never reads more rows than it shows.

Percentiles can't be added up, so what is kept are DDSketches (relative error 1 %), which can be merged.
"""

from __future__ import annotations

from django.db import models

from access.models import Project
from tracking.models.definitions import Environment, TestDefinition
from tracking.models.runs import TestRun


class Figures(models.Model):
    """How many workflows were timed, the sums of their times in seconds, and a sketch of each."""

    timed = models.PositiveIntegerField(default=0, help_text="Workflows that ran.")
    queue_sum = models.FloatField(default=0)
    execution_sum = models.FloatField(default=0)
    total_sum = models.FloatField(default=0)
    queue_sketch = models.BinaryField(default=bytes)
    execution_sketch = models.BinaryField(default=bytes)
    total_sketch = models.BinaryField(default=bytes)

    class Meta:
        abstract = True


class RunTiming(Figures):
    """The figures of one finished run, written when it closes."""

    run = models.OneToOneField(TestRun, models.CASCADE, primary_key=True, related_name="timing")

    def __str__(self) -> str:
        return f"timing of {self.run_id}"


class DayTiming(Figures):
    """The merged figures of a day (UTC) for one definition in one environment."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="+", db_index=False)
    definition = models.ForeignKey(TestDefinition, models.CASCADE, related_name="days", db_index=False)
    environment = models.ForeignKey(Environment, models.CASCADE, related_name="days", db_index=False)
    day = models.DateField()
    passed = models.PositiveIntegerField(default=0, help_text="Runs.")
    failed = models.PositiveIntegerField(default=0, help_text="Runs.")
    cancelled = models.PositiveIntegerField(default=0, help_text="Runs.")
    error = models.PositiveIntegerField(default=0, help_text="Runs.")
    duration_sum = models.FloatField(default=0, help_text="Wall seconds of the passed and failed runs.")
    duration_sketch = models.BinaryField(default=bytes)

    class Meta:
        ordering = ["-day"]
        indexes = [models.Index(fields=["project", "-day"], name="day_timing_project_idx")]
        constraints = [
            models.UniqueConstraint(fields=["definition", "environment", "day"], name="day_timing_once")
        ]

    def __str__(self) -> str:
        return f"{self.definition_id} on {self.day}"
