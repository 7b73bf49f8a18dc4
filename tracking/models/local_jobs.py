"""The local service's own table: commands that wait for a place on this machine, run, or have run."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import F, Q

from tracking.querysets import LocalJobQuerySet


class LocalJob(models.Model):
    """A command run once as a process on one machine.

    It knows nothing of runs: to `tracking` the local service is an outside one, like GitHub.
    A runner claims the row; a wrapper process writes start and end into files, so whoever
    claimed it may die and the job still ran once.
    """

    class State(models.TextChoices):
        QUEUED = "queued"
        CLAIMED = "claimed"  # a runner has taken it and starts its process
        RUNNING = "running"
        DONE = "done"

    dispatch_id = models.CharField(max_length=40, unique=True, editable=False)
    name = models.CharField(max_length=255)
    title = models.CharField(max_length=255, blank=True, help_text="The tag it carries.")
    command: models.JSONField[Any, Any] = models.JSONField()
    folder = models.CharField(max_length=1000)
    variables: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    time_limit = models.PositiveIntegerField(help_text="Seconds.")
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    host = models.CharField(max_length=255, blank=True, help_text="The machine that claimed it.")
    created_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    exit_code = models.IntegerField(null=True, blank=True)
    conclusion = models.CharField(max_length=40, blank=True)
    reason = models.TextField(blank=True)

    objects = LocalJobQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["id"], name="local_jobs_open_idx", condition=~Q(state="done")),
        ]
        constraints = [
            models.CheckConstraint(
                name="local_job_done_or_open",
                condition=Q(state="done", completed_at__isnull=False) & ~Q(conclusion="")
                | ~Q(state="done") & Q(completed_at__isnull=True, conclusion=""),
            ),
            models.CheckConstraint(
                name="local_job_ends_after_start",
                condition=Q(completed_at__isnull=True)
                | Q(started_at__isnull=True)
                | Q(completed_at__gte=F("started_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.dispatch_id[:8]}"

    def waited(self, now: datetime) -> float:
        """Seconds between its arrival and its start, or `now` while it waits."""
        return max(((self.started_at or now) - self.created_at).total_seconds(), 0.0)
