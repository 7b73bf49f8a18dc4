"""What follows from measurements: what holds a system back, and when it changed."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from performance.models.workloads import Component, Workload, WorkloadRun
from performance.querysets import ChangePointQuerySet


class Bottleneck(models.Model):
    """What held a workload run back, with its evidence in numbers; rank 1 first."""

    class Kind(models.TextChoices):
        COMPONENT = "component"  # its share of the response time by Server-Timing
        RESOURCE = "resource"  # saturated while latency rose
        KNEE = "knee"  # more load brought no more throughput
        QUEUEING = "queueing"  # waiting set in at a load
        ERRORS = "errors"  # errors set in at a load
        OUTLIERS = "outliers"  # a request has far slower ones than its median
        LEAK = "leak"  # latency or memory grew with time under equal load
        GENERATOR = "generator"  # the generator was the limit, so the target's is not known

    run = models.ForeignKey(WorkloadRun, models.CASCADE, related_name="bottlenecks", db_index=False)
    rank = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=12, choices=Kind)
    name = models.CharField(max_length=200, help_text="The resource, component or request.")
    score = models.FloatField(help_text="Strength of the evidence, 0 to 1.")
    share = models.FloatField(null=True, blank=True, help_text="Share of the response time, 0 to 1.")
    text = models.TextField(help_text="The finding in one sentence.")
    evidence: models.JSONField[Any, Any] = models.JSONField(default=dict)

    class Meta:
        ordering = ["run_id", "rank"]
        constraints = [models.UniqueConstraint(fields=["run", "rank"], name="bottleneck_rank_once")]

    def __str__(self) -> str:
        return self.text


class ChangePoint(models.Model):
    """The first run after which a workload's series has another level, and what was made of it."""

    class State(models.TextChoices):
        NEW = "new"
        ACCEPTED = "accepted"
        DISMISSED = "dismissed"

    workload = models.ForeignKey(Workload, models.CASCADE, related_name="change_points", db_index=False)
    component = models.ForeignKey(Component, models.CASCADE, null=True, blank=True)
    metric = models.CharField(max_length=60, help_text="As in latency.p95.")
    request = models.CharField(max_length=200, blank=True)
    first_run = models.ForeignKey(WorkloadRun, models.RESTRICT, related_name="change_points")
    last_run_before = models.ForeignKey(WorkloadRun, models.SET_NULL, null=True, blank=True, related_name="+")
    commit_sha = models.CharField(max_length=40, blank=True, help_text="Where it began, or was tied to.")
    before = models.FloatField()
    after = models.FloatField()
    unit = models.CharField(max_length=20, blank=True)
    is_worse = models.BooleanField()
    p = models.FloatField()
    votes: models.JSONField[Any, Any] = models.JSONField(default=list, help_text="Which detectors agree.")
    is_alarm = models.BooleanField(default=False, help_text="Two agree, or one and a confirming run.")
    confirmed_by = models.ForeignKey(WorkloadRun, models.SET_NULL, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=9, choices=State, default=State.NEW)
    note = models.TextField(blank=True)
    decided_by = models.CharField(max_length=255, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    found_at = models.DateTimeField(default=timezone.now)

    objects = ChangePointQuerySet.as_manager()

    @property
    def seen_by(self) -> str:
        """Who sees the change, in words."""
        if len(self.votes) > 1:
            return "two detectors"
        return "one detector and a run made to confirm it" if self.confirmed_by_id else "one detector"

    @property
    def sureness(self) -> str:
        """How sure it is, in percent; never all of it."""
        return "more than 99.9 %" if self.p < 0.001 else f"{100 * (1 - self.p):.1f} %"

    class Meta:
        ordering = ["-found_at", "-id"]
        indexes = [models.Index(fields=["workload", "-found_at"], name="change_points_workload_idx")]
        constraints = [
            models.UniqueConstraint(
                fields=["workload", "component", "metric", "request", "first_run"],
                condition=Q(component__isnull=False),
                name="change_point_once_of_component",
            ),
            models.UniqueConstraint(
                fields=["workload", "metric", "request", "first_run"],
                condition=Q(component=None),
                name="change_point_once",
            ),
            models.CheckConstraint(
                name="change_point_state_known", condition=Q(state__in=["new", "accepted", "dismissed"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.metric} {self.request} {self.ratio:.2f} ×".replace("  ", " ")

    @property
    def ratio(self) -> float:
        """Level after divided by level before; infinite where there was none before."""
        return self.after / self.before if self.before else float("inf")

    @property
    def is_doubtful(self) -> bool:
        """Whether one voter alone has seen it, and no person has decided."""
        return self.state == self.State.NEW and not self.is_alarm


class PerformanceBaseline(models.Model):
    """The run that a workload's next ones are held against, on a branch and for a component."""

    workload = models.ForeignKey(Workload, models.CASCADE, related_name="baselines")
    component = models.ForeignKey(Component, models.CASCADE, null=True, blank=True)
    branch = models.CharField(max_length=255, blank=True)
    run = models.ForeignKey(WorkloadRun, models.RESTRICT, related_name="baseline_of")
    set_by = models.CharField(max_length=255)
    set_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["workload", "branch"]
        constraints = [
            models.UniqueConstraint(
                fields=["workload", "component", "branch"],
                condition=Q(component__isnull=False),
                name="performance_baseline_once_of_component",
            ),
            models.UniqueConstraint(
                fields=["workload", "branch"], condition=Q(component=None), name="performance_baseline_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.workload} {self.branch}".strip()
