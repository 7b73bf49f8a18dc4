"""Each time a definition ran, and what Runtrail did meanwhile."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from access.models import Project
from tracking.models.definitions import Environment, TestDefinition, is_handed_over
from tracking.querysets import TestRunQuerySet

RUNNING_XOR_COMPLETED = Q(status="running", completed_at__isnull=True) | (
    ~Q(status="running") & Q(completed_at__isnull=False)
)


class Space(models.TextChoices):
    """Where it ran in the sense of trust: at a desk or in CI."""

    LOCAL = "local"
    CI = "ci"


class TestRun(models.Model):
    """One execution of a test definition, and the owner of every workflow sent for it.

    `test_run_id` travels through CI as the input `job_name`, so it never changes once handed out.
    """

    __test__ = False  # or pytest tries to collect this class

    class Status(models.TextChoices):
        RUNNING = "running"
        PASSED = "passed"
        FAILED = "failed"
        CANCELLED = "cancelled"
        ERROR = "error"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    test_run_id = models.CharField(max_length=80, unique=True, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="runs")
    definition = models.ForeignKey(
        TestDefinition, models.PROTECT, related_name="runs", db_column="test_definition_id", db_index=False
    )
    environment = models.ForeignKey(Environment, models.PROTECT, related_name="runs", db_index=False)
    space = models.CharField(max_length=8, choices=Space, default=Space.CI)
    status = models.CharField(max_length=50, choices=Status, default=Status.RUNNING)
    reason = models.TextField(blank=True, help_text="Why it ended so, in plain words.")
    branch = models.CharField(max_length=255, blank=True)
    commit_sha = models.CharField(max_length=40, blank=True)
    tree_hash = models.CharField(max_length=40, blank=True)
    triggered_by = models.CharField(max_length=255)
    metadata: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    plan: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    rerun_of = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="reruns", db_index=True
    )
    started_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    pinned = models.BooleanField(default=False, help_text="Kept for ever, whatever the policies say.")
    note = models.TextField(blank=True, help_text="What a curator has to say of it.")
    excluded_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when it counts in no figure of several runs."
    )
    excluded_by = models.CharField(max_length=255, blank=True)
    excluded_reason = models.TextField(blank=True)
    driver = models.CharField(max_length=100, blank=True, help_text="Who sends and follows it just now.")
    driver_until = models.DateTimeField(null=True, blank=True)
    checked: models.JSONField[Any, Any] = models.JSONField(
        default=dict, blank=True, help_text="What the check before sending learned of each workflow file."
    )
    reopened_at = models.DateTimeField(
        null=True, blank=True, help_text="When a later attempt of a workflow opened the run again."
    )
    silent_since = models.DateTimeField(
        null=True, blank=True, help_text="Since when its CI service does not answer."
    )
    silent_seconds = models.FloatField(default=0, help_text="How long it did not answer before; not counted.")
    bad_results = models.PositiveIntegerField(
        default=0, help_text="Cases that failed by reports that came while it was going."
    )
    api_calls = models.PositiveIntegerField(default=0, help_text="Calls to the CI service made for it.")
    api_waited = models.FloatField(default=0, help_text="Seconds that it waited for the service's limits.")

    objects = TestRunQuerySet.as_manager()

    class Meta:
        db_table = "test_runs"
        ordering = ["-started_at", "-test_run_id"]
        indexes = [
            models.Index(fields=["definition", "-started_at"], name="test_runs_definition_idx"),
            models.Index(fields=["status", "-started_at"], name="test_runs_status_idx"),
            models.Index(fields=["environment", "-started_at"], name="test_runs_environment_idx"),
            models.Index(fields=["project", "-started_at", "-test_run_id"], name="test_runs_project_idx"),
            models.Index(fields=["project", "status", "-started_at"], name="test_runs_project_status_idx"),
            models.Index(
                fields=["excluded_at"], name="test_runs_excluded_idx", condition=Q(excluded_at__isnull=False)
            ),
        ]
        constraints = [
            models.CheckConstraint(name="run_open_or_completed", condition=RUNNING_XOR_COMPLETED),
            models.CheckConstraint(
                name="run_ends_after_start",
                condition=Q(completed_at__isnull=True) | Q(completed_at__gte=F("started_at")),
            ),
            models.CheckConstraint(
                name="run_status_known",
                condition=Q(status__in=["running", "passed", "failed", "cancelled", "error"]),
            ),
            models.CheckConstraint(name="run_space_known", condition=Q(space__in=["local", "ci"])),
        ]

    def __str__(self) -> str:
        return self.test_run_id

    @property
    def test_type(self) -> str:
        """The first part of the test_run_id."""
        return str(self.plan.get("test_type") or self.definition.test_type)

    @property
    def is_handed_over(self) -> bool:
        """Whether an upper floor runs it whole; nothing of it is sent or followed here."""
        return is_handed_over(self.plan.get("kind", TestDefinition.WORKFLOWS))

    @property
    def fetched_run_id(self) -> int | None:
        """GitHub's number of the run that a fetched job belongs to; None where Runtrail sent the workflows.

        All jobs of that run share it, so it stands on no workflow of theirs.
        """
        number = self.metadata.get("github_run_id") if self.plan.get("follows") else None
        return number if isinstance(number, int) else None

    @property
    def is_running(self) -> bool:
        return self.status == self.Status.RUNNING

    @property
    def duration(self) -> timedelta | None:
        """Wall time from start to completion; None while the run is going."""
        return self.completed_at - self.started_at if self.completed_at else None

    def duration_so_far(self, now: datetime) -> timedelta:
        """Wall time from start to completion, or to `now` while the run is going; never negative."""
        return max((self.completed_at or now) - self.started_at, timedelta(0))

    @property
    def deadline(self) -> datetime | None:
        """When a run that hangs is closed as an error; None where nothing was planned to run.

        Time in which the CI service did not answer does not count: nobody could see the end.
        """
        timeout = self.plan.get("timeout")
        if not timeout:
            return None
        return (self.reopened_at or self.started_at) + timedelta(seconds=timeout + self.silent_seconds)


class RunEvent(models.Model):
    """What Runtrail did for a run, shown on its page; only ever added."""

    run = models.ForeignKey(TestRun, models.CASCADE, related_name="events", db_index=False)
    at = models.DateTimeField(default=timezone.now)
    kind = models.CharField(max_length=30, help_text="As in started, sent, cancelled, settled.")
    text = models.TextField()

    class Meta:
        ordering = ["run_id", "id"]
        indexes = [models.Index(fields=["run", "id"], name="run_events_run_idx")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"
