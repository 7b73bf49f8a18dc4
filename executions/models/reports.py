"""What came in: one row for each report, also for the ones that were refused."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from access.models import Project
from executions.querysets import ReportQuerySet
from tracking.models import TestRun


class Report(models.Model):
    """One test report, or one line of the uploads page about a report that was refused.

    The same content for the same run is one report: `key` names the run and the shard, or branch, commit,
    environment and shard where no run was named; `digest` is the SHA-256 of the unpacked content.
    """

    class Status(models.TextChoices):
        STORED = "stored"
        QUEUED = "queued"
        REFUSED = "refused"

    project = models.ForeignKey(Project, models.CASCADE, related_name="reports", db_index=False)
    run = models.ForeignKey(TestRun, models.CASCADE, null=True, blank=True, related_name="reports")
    key = models.CharField(max_length=64, blank=True, editable=False)
    digest = models.CharField(max_length=64, blank=True, editable=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.STORED)
    reason = models.TextField(blank=True, help_text="Why it was refused.")
    name = models.CharField(max_length=300, blank=True)
    format = models.CharField(max_length=30, blank=True)
    sent_by = models.CharField(max_length=255, blank=True)
    received_at = models.DateTimeField(default=timezone.now)
    size = models.BigIntegerField(default=0, help_text="Bytes, unpacked.")
    shard = models.PositiveIntegerField(null=True, blank=True)
    shards = models.PositiveIntegerField(null=True, blank=True)
    total = models.PositiveIntegerField(default=0)
    passed = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    error = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    xfailed = models.PositiveIntegerField(default=0)
    xpassed = models.PositiveIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    unplaced = models.PositiveIntegerField(default=0)
    duration = models.FloatField(default=0, help_text="Seconds, summed over cases.")
    problems: models.JSONField[Any, Any] = models.JSONField(default=list, blank=True)
    upload = models.CharField(max_length=300, blank=True, help_text="Where the file waits to be read.")
    options: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)

    objects = ReportQuerySet.as_manager()
    is_new = False  # whether this very call stored it

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["project", "-id"], name="report_project_idx"),
            models.Index(fields=["id"], name="report_queued_idx", condition=Q(status="queued")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "key", "digest"],
                name="report_once",
                condition=Q(status="stored"),
            ),
        ]

    def __str__(self) -> str:
        return f"report {self.pk} of {self.run or 'no run'}"


class IdempotencyKey(models.Model):
    """A list of results that a client may send again under the same key, and what was answered."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    digest = models.CharField(max_length=64, help_text="Of the content: another content is another list.")
    answer: models.JSONField[Any, Any] = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "key"], name="idempotency_key_once")]

    def __str__(self) -> str:
        return self.key
