"""What was tried to make a system better, which component is better, and the whole track in one."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.utils import timezone

from access.models import Project
from performance.models.workloads import Component, Workload, WorkloadRun, validate_address
from performance.querysets import TrackRunQuerySet


class Optimization(models.Model):
    """What was changed and why, the runs before and after it, and whether it helped.

    `verdict` is better, worse, same or no proof; `result` has the figures that it rests on.
    """

    workload = models.ForeignKey(Workload, models.CASCADE, related_name="optimizations")
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True, help_text="What was changed, and why.")
    commit_sha = models.CharField(max_length=40, blank=True)
    created_by = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    runs = models.ManyToManyField(WorkloadRun, through="OptimizationRun", related_name="optimizations")
    verdict = models.CharField(max_length=20, blank=True)
    result: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    judged_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveIntegerField(default=0, help_text="How often more runs were asked for.")

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["workload", "name"], name="optimization_name_once")]

    def __str__(self) -> str:
        return self.name


class OptimizationRun(models.Model):
    """A run before or after an optimization."""

    class Side(models.TextChoices):
        BEFORE = "before"
        AFTER = "after"

    optimization = models.ForeignKey(Optimization, models.CASCADE, related_name="sides", db_index=False)
    run = models.ForeignKey(WorkloadRun, models.RESTRICT)
    side = models.CharField(max_length=6, choices=Side)

    class Meta:
        ordering = ["optimization_id", "side", "id"]
        constraints = [models.UniqueConstraint(fields=["optimization", "run"], name="optimization_run_once")]

    def __str__(self) -> str:
        return f"{self.side}: {self.run_id}"


class Comparison(models.Model):
    """Components under the same workload, in turn, so that drift cancels."""

    class Status(models.TextChoices):
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workload = models.ForeignKey(Workload, models.CASCADE, related_name="comparisons")
    components = models.ManyToManyField(Component, related_name="comparisons")
    rounds = models.PositiveSmallIntegerField(default=4, help_text="Runs of each component.")
    seed = models.BigIntegerField(default=0, help_text="Of the order within each round.")
    status = models.CharField(max_length=10, choices=Status, default=Status.RUNNING)
    reason = models.TextField(blank=True)
    created_by = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    completed_at = models.DateTimeField(null=True, blank=True)
    result: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.workload} {self.created_at:%Y-%m-%d %H:%M}"


class ComparisonRun(models.Model):
    """The run of one component in one round."""

    comparison = models.ForeignKey(Comparison, models.CASCADE, related_name="turns", db_index=False)
    component = models.ForeignKey(Component, models.CASCADE)
    round = models.PositiveSmallIntegerField()
    run = models.ForeignKey(WorkloadRun, models.RESTRICT, related_name="turns")

    class Meta:
        ordering = ["comparison_id", "id"]
        constraints = [
            models.UniqueConstraint(fields=["comparison", "component", "round"], name="comparison_turn_once")
        ]

    def __str__(self) -> str:
        return f"{self.component} {self.round}"


class TrackRun(models.Model):
    """All phases in order against one target; `summary` is the file performance_track_summary.json.

    Who drives it holds its lease, as with runs.  `progress` has what goes on: the `phase`, the `run` (its
    public name) and the `comparison` (its UUID), each only while there is one.
    """

    class Status(models.TextChoices):
        RUNNING = "running"
        PASSED = "passed"
        FAILED = "failed"
        ERROR = "error"
        CANCELLED = "cancelled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="track_runs")
    workload = models.ForeignKey(Workload, models.SET_NULL, null=True, blank=True, related_name="track_runs")
    target = models.CharField(max_length=500, validators=[validate_address], blank=True)
    rounds = models.PositiveSmallIntegerField(default=3, help_text="Runs of each component.")
    status = models.CharField(max_length=10, choices=Status, default=Status.RUNNING)
    reason = models.TextField(blank=True, help_text="Why it did not go through all phases.")
    started_at = models.DateTimeField(default=timezone.now)
    completed_at = models.DateTimeField(null=True, blank=True)
    triggered_by = models.CharField(max_length=255, blank=True)
    summary: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    progress: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    driver = models.CharField(max_length=255, blank=True, editable=False)
    driver_until = models.DateTimeField(null=True, blank=True, editable=False)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    cancelled_by = models.CharField(max_length=255, blank=True)

    objects = TrackRunQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at"]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}"

    @property
    def is_running(self) -> bool:
        return self.status == self.Status.RUNNING
