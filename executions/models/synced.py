"""What was fetched from CI already, and how often a project asks."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from access.models import Project

PATTERNS = ["*test*", "*junit*", "*report*", "*result*"]


def default_patterns() -> list[str]:
    return list(PATTERNS)


def validate_patterns(value: Any) -> None:
    """A list of patterns of file names, each with at most one place for the job."""
    is_right = isinstance(value, list) and all(isinstance(one, str) and one.strip() for one in value)
    if not is_right or len(value) > 50 or any(len(one) > 200 or one.count("{job}") > 1 for one in value):
        raise ValidationError("Write a list of names, as in test-results-{job} or *junit*.")


class CISync(models.Model):
    """How a project fetches what its CI did.

    `next_at` is when it is due; whoever moves it forward has claimed that turn.
    """

    project = models.OneToOneField(Project, models.CASCADE, related_name="ci_sync")
    every = models.PositiveIntegerField(default=15, help_text="Minutes between two turns; 0: only by hand.")
    patterns: models.JSONField[Any, Any] = models.JSONField(
        default=default_patterns,
        validators=[validate_patterns],
        help_text="Names of the artifacts with test reports; {job} stands for the job's name.",
    )
    next_at = models.DateTimeField(null=True, blank=True, editable=False)
    reached = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Up to when all of CI's runs were looked at."
    )
    full_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When the whole week was last looked at."
    )
    problem = models.TextField(blank=True, editable=False, help_text="Why the last turn did not end well.")

    class Meta:
        verbose_name = "CI sync"
        verbose_name_plural = "CI syncs"
        ordering = ["project"]

    def __str__(self) -> str:
        return f"CI of {self.project}"


class SyncedRun(models.Model):
    """A workflow run of the service that was fetched, as far as it was.

    `taken` holds what became of each artifact by its number: stored, ignored, expired, refused.  With
    it an interrupted sync goes on where it stopped, and says nothing twice.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="synced_runs", db_index=False)
    github_run_id = models.BigIntegerField()
    attempt = models.PositiveSmallIntegerField(default=0, help_text="The latest one that was seen.")
    path = models.CharField(max_length=255, blank=True, help_text="The workflow's file.")
    created_at = models.DateTimeField(null=True, blank=True)
    jobs = models.PositiveIntegerField(default=0, help_text="Finished jobs that are here.")
    taken: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    is_whole = models.BooleanField(default=False, help_text="It is over, and all of it is here.")

    class Meta:
        ordering = ["-github_run_id"]
        constraints = [models.UniqueConstraint(fields=["project", "github_run_id"], name="synced_run_once")]
        indexes = [
            models.Index(
                fields=["project", "created_at"], name="synced_open_idx", condition=Q(is_whole=False)
            ),
            models.Index(fields=["project", "path", "-github_run_id"], name="synced_path_idx"),
        ]

    def __str__(self) -> str:
        return f"run {self.github_run_id} of {self.project}"

    @property
    def has_reports(self) -> bool:
        return "stored" in self.taken.values()
