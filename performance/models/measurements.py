"""What was measured: figures of a run, and series over its time."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from access.models import Project
from analysis import columns
from performance.models.workloads import WorkloadRun
from performance.querysets import GatheringQuerySet, MetricQuerySet, MetricSeriesQuerySet
from tracking.models import TestRun


class Metric(models.Model):
    """One figure of one workload run, for one request or for all of them (`request` empty).

    `latency` has its distribution as a mergeable sketch beside the exact quantiles of the kept samples;
    `low` and `high` are the 95 % interval of `value`, and null where it can't be told.
    """

    run = models.ForeignKey(WorkloadRun, models.CASCADE, related_name="metrics", db_index=False)
    name = models.CharField(max_length=60, help_text="latency, throughput, error_share, service_time …")
    request = models.CharField(max_length=200, blank=True, help_text="Empty: all requests.")
    unit = models.CharField(max_length=20, help_text="s, 1/s, share, bytes …")
    less_is_better = models.BooleanField(default=True)
    n = models.BigIntegerField(default=0)
    value = models.FloatField(
        null=True, blank=True, help_text="The figure that stands for it: of times the median."
    )
    low = models.FloatField(null=True, blank=True)
    high = models.FloatField(null=True, blank=True)
    mean = models.FloatField(null=True, blank=True)
    p50 = models.FloatField(null=True, blank=True)
    p90 = models.FloatField(null=True, blank=True)
    p95 = models.FloatField(null=True, blank=True)
    p99 = models.FloatField(null=True, blank=True)
    p999 = models.FloatField(null=True, blank=True)
    intervals: models.JSONField[Any, Any] = models.JSONField(
        default=dict, blank=True, help_text="95 % intervals by name: {p95: [low, high]}."
    )
    sketch = models.BinaryField(default=bytes, blank=True)

    objects = MetricQuerySet.as_manager()

    class Meta:
        ordering = ["run_id", "name", "request"]
        constraints = [
            models.UniqueConstraint(fields=["run", "name", "request"], name="metric_once_per_run"),
            models.CheckConstraint(name="metric_n_sane", condition=Q(n__gte=0)),
        ]

    def __str__(self) -> str:
        return " ".join(filter(None, [self.name, self.request]))


class MetricSeries(models.Model):
    """Times and values of one resource during one run, tracked or of a workload.

    `times` and `values` are packed columns (`analysis.columns`): seconds since the run's start (n,) and
    values (n,) in `unit`.
    """

    run = models.ForeignKey(TestRun, models.CASCADE, related_name="metric_series", db_index=False)
    source = models.CharField(max_length=20, help_text="host, prometheus, cloudwatch, generator, samples.")
    name = models.CharField(max_length=120)
    unit = models.CharField(max_length=20, blank=True)
    saturated_at = models.FloatField(null=True, blank=True, help_text="From which value on it is full.")
    n = models.PositiveIntegerField(default=0)
    times = models.BinaryField()
    values = models.BinaryField()
    problem = models.CharField(max_length=255, blank=True, help_text="Why there are no values.")

    objects = MetricSeriesQuerySet.as_manager()

    class Meta:
        ordering = ["run_id", "source", "name"]
        verbose_name_plural = "metric series"
        constraints = [models.UniqueConstraint(fields=["run", "source", "name"], name="series_once_per_run")]

    def __str__(self) -> str:
        return f"{self.source}: {self.name}"

    @property
    def times_list(self) -> list[float | None]:
        """Seconds since the run's start (n,)."""
        return columns.as_list(self.times)

    @property
    def values_list(self) -> list[float | None]:
        """Values (n,) in `unit`; None is a gap."""
        return columns.as_list(self.values)


class Gathering(models.Model):
    """Up to when the series of one run were read; a run without one was not looked at yet."""

    run = models.OneToOneField(TestRun, models.CASCADE, primary_key=True, related_name="gathering")
    until = models.DateTimeField(help_text="The run's end when it was last looked at.")
    tries = models.PositiveSmallIntegerField(default=0)
    again_at = models.DateTimeField(null=True, blank=True, help_text="Empty: done, or given up.")
    problem = models.TextField(blank=True)

    objects = GatheringQuerySet.as_manager()

    class Meta:
        ordering = ["-until"]
        indexes = [
            models.Index(fields=["again_at"], name="gatherings_due_idx", condition=Q(again_at__isnull=False))
        ]

    def __str__(self) -> str:
        return f"{self.run_id}: {self.problem or 'done'}"


class MetricQuery(models.Model):
    """What is read from a metric source for every run of a project in an environment."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="metric_queries")
    environment = models.ForeignKey(
        "tracking.Environment", models.CASCADE, null=True, blank=True, help_text="Empty: all of them."
    )
    source = models.CharField(max_length=20, help_text="A key of settings.METRIC_SOURCES.")
    name = models.CharField(max_length=120)
    query = models.TextField(
        help_text="PromQL; or for CloudWatch Namespace/Metric{Dimension=Value}:Statistic."
    )
    unit = models.CharField(max_length=20, blank=True)
    saturated_at = models.FloatField(null=True, blank=True)
    enabled = models.BooleanField(default=True)

    class Meta:
        ordering = ["project", "source", "name"]
        verbose_name_plural = "metric queries"
        constraints = [
            models.UniqueConstraint(fields=["project", "source", "name"], name="metric_query_once")
        ]

    def __str__(self) -> str:
        return f"{self.source}: {self.name}"
