"""Figures kept ready, so that a page never reads more rows than it shows.

Percentiles can't be added up, so what is kept are DDSketches (relative error 1 %), which can be merged.
"""

from __future__ import annotations

from typing import Any

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


class Runners(models.Model):
    """Jobs that ran on one kind of runner: how many, the sums of their times in seconds, and sketches.

    `hours` tells, by the hour (UTC) in which a job became ready, how many there were and how long
    they waited: {"9": [jobs, seconds]}.
    """

    runner_group = models.CharField(max_length=255, blank=True)
    labels = models.CharField(max_length=255, blank=True, help_text="In their order of letters.")
    jobs = models.PositiveIntegerField(default=0)
    queue_sum = models.FloatField(default=0)
    execution_sum = models.FloatField(default=0)
    queue_sketch = models.BinaryField(default=bytes)
    execution_sketch = models.BinaryField(default=bytes)
    hours: models.JSONField[Any, Any] = models.JSONField(default=dict)

    class Meta:
        abstract = True


class RunnerTiming(Runners):
    """The jobs of one finished run on one kind of runner."""

    run = models.ForeignKey(TestRun, models.CASCADE, related_name="runners", db_index=False)

    class Meta:
        ordering = ["run_id", "runner_group", "labels"]
        constraints = [
            models.UniqueConstraint(fields=["run", "runner_group", "labels"], name="runner_timing_once")
        ]

    def __str__(self) -> str:
        return f"{self.jobs} jobs on {self.runner_group or self.labels or 'a runner'}"


class RunnerDay(Runners):
    """The jobs of all runs of a project that began on one day (UTC), on one kind of runner."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()

    class Meta:
        ordering = ["-day", "runner_group", "labels"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "day", "runner_group", "labels"], name="runner_day_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.jobs} jobs on {self.day}"


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
