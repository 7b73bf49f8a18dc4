"""Edits in groups, the tests of each group, and the way back."""

from __future__ import annotations

from typing import Any

from django.db import models

from access.models import Project
from analysis.wording import count
from batches.querysets import BatchQuerySet
from tracking.models import TestRun


class Workspace(models.Model):
    """One folder on one machine whose edits are recorded."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="workspaces")
    host = models.CharField(max_length=255)
    root = models.CharField(max_length=1024)
    batch_size = models.PositiveIntegerField(default=5)
    python = models.CharField(max_length=1024, blank=True, help_text="Interpreter of the tests.")
    last_python = models.CharField(max_length=1024, blank=True, help_text="Of the last run from a shell.")
    last_framework = models.CharField(max_length=20, blank=True)
    origin_commit = models.CharField(max_length=64, blank=True, help_text="What git had at the first use.")
    stock_at = models.DateTimeField(
        null=True, blank=True, help_text="When the files of the first use were kept."
    )
    is_stock_whole = models.BooleanField(default=True, help_text="All files were seen at the first use.")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["project", "host", "root"], name="workspace_once"),
        ]

    def __str__(self) -> str:
        return f"{self.host}:{self.root}"


class FileState(models.Model):
    """What a path held: a file, a link or nothing; its content lies in the store under `digest`."""

    class Kind(models.TextChoices):
        FILE = "file"
        LINK = "link"
        ABSENT = "absent"

    kind = models.CharField(max_length=6, choices=Kind)
    digest = models.CharField(
        max_length=64, blank=True, help_text="SHA-256 of content, or of a link's target."
    )
    mode = models.PositiveIntegerField(default=0)
    size = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "digest", "mode"], name="file_state_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.digest[:12]}".strip()


class KnownFile(models.Model):
    """The state in which a path was last seen; `is_recorded` when by a record or a rollback.

    Without a state the path was there, and its content was not kept.
    """

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="known_files", db_index=False)
    path = models.CharField(max_length=1024)
    state = models.ForeignKey(FileState, models.PROTECT, null=True, blank=True, related_name="+")
    is_recorded = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "path"], name="known_file_once")]

    def __str__(self) -> str:
        return self.path


class Batch(models.Model):
    """A group of edits; closed when it is full, and then tested."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="batches", db_index=False)
    number = models.PositiveIntegerField()
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    git_commit = models.CharField(max_length=64, blank=True)
    is_dropped = models.BooleanField(default=False, help_text="Left behind by a reset.")

    objects = BatchQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["workspace", "number"], name="batch_number_once")]

    def __str__(self) -> str:
        return f"batch {self.number}"


class Edit(models.Model):
    """One recorded edit; `before` is null where there is no earlier state."""

    batch = models.ForeignKey(Batch, models.CASCADE, related_name="edits", db_index=False)
    position = models.PositiveIntegerField()
    path = models.CharField(max_length=1024)
    description = models.TextField(blank=True)
    recorded_at = models.DateTimeField()
    before = models.ForeignKey(FileState, models.PROTECT, null=True, blank=True, related_name="+")
    after = models.ForeignKey(FileState, models.PROTECT, related_name="+")
    diff = models.TextField(blank=True)

    class Meta:
        ordering = ["batch", "position"]
        constraints = [models.UniqueConstraint(fields=["batch", "position"], name="edit_position_once")]

    def __str__(self) -> str:
        return f"{self.path} ({self.batch})"


class BatchRun(models.Model):
    """One run of a workspace's tests; `run` is null where the results could not be stored."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="runs")
    batch = models.ForeignKey(Batch, models.CASCADE, null=True, blank=True, related_name="runs")
    run = models.ForeignKey(TestRun, models.SET_NULL, null=True, blank=True, related_name="batch_runs")
    started_at = models.DateTimeField()
    pattern = models.CharField(max_length=255, blank=True)
    success = models.BooleanField()
    trouble = models.TextField(blank=True, help_text="Why the tests could not run to their end.")
    total_tests = models.PositiveIntegerField(default=0)
    failed_tests = models.PositiveIntegerField(default=0)
    duration = models.FloatField(default=0, help_text="Seconds.")
    result: models.JSONField[Any, Any] = models.JSONField(help_text="As in ci_test_results.json.")
    suspicion: models.JSONField[Any, Any] = models.JSONField(
        default=dict, blank=True, help_text="Which edit is to blame, and how sure that is."
    )

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.batch or self.workspace} at {self.started_at:%Y-%m-%d %H:%M:%S}"


class BatchBaseline(models.Model):
    """The results that later ones of the same workspace, name and branch are held against."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="baselines", db_index=False)
    name = models.CharField(max_length=100, default="default")
    branch = models.CharField(max_length=255, blank=True)
    set_at = models.DateTimeField()
    result: models.JSONField[Any, Any] = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name", "branch"], name="batch_baseline_once")
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.branch}".strip()


class Regression(models.Model):
    """A test that a run did worse than its baseline."""

    class Kind(models.TextChoices):
        NEW_FAILURE = "new failure"
        SLOWER = "slower"
        UNCONFIRMED = "unconfirmed"

    batch_run = models.ForeignKey(BatchRun, models.CASCADE, related_name="regressions")
    kind = models.CharField(max_length=20, choices=Kind)
    name = models.CharField(max_length=1024)
    baseline_seconds = models.FloatField(null=True, blank=True)
    seconds = models.FloatField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}"


class Rollback(models.Model):
    """One way back: `plan` lists path, the state found and the state to write, kept before any write."""

    batch = models.ForeignKey(Batch, models.CASCADE, related_name="rollbacks")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    plan: models.JSONField[Any, Any] = models.JSONField()
    undoes = models.OneToOneField("self", models.CASCADE, null=True, blank=True, related_name="undone_by")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"rollback of {self.batch}"

    @property
    def sentence(self) -> str:
        what = "Undid the rollback of" if self.undoes_id else "Rolled back"
        return f"{what} {self.batch}: {count(len(self.plan), 'file')}."


class BatchJob(models.Model):
    """Tests or a rollback, asked for from a page, the API or `--background`, done on the workspace's host.

    The row is the event: it is claimed by the worker that does it, and claimed anew where that one died.
    """

    class Kind(models.TextChoices):
        TEST = "test"
        ROLLBACK = "rollback"
        UNDO = "undo"

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="jobs")
    batch = models.ForeignKey(Batch, models.CASCADE, null=True, blank=True, related_name="jobs")
    kind = models.CharField(max_length=10, choices=Kind)
    options: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    requested_by = models.CharField(max_length=255)
    requested_at = models.DateTimeField()
    claimed_by = models.CharField(max_length=255, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    exit_code = models.PositiveSmallIntegerField(null=True, blank=True)
    message = models.TextField(blank=True)
    output = models.TextField(blank=True, help_text="The end of what it wrote.")
    batch_run = models.ForeignKey(BatchRun, models.SET_NULL, null=True, blank=True, related_name="jobs")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["workspace", "-id"], name="batch_job_workspace_idx")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.batch or self.workspace}"

    @property
    def status(self) -> str:
        """`waiting`, `running`, or how it ended: `passed`, `failed`, `error`, `cancelled`."""
        if self.finished_at is None:
            return "running" if self.claimed_by else "waiting"
        if self.exit_code == 3 and self.cancel_requested_at:
            return "cancelled"
        return {0: "passed", 1: "failed", 2: "failed"}.get(self.exit_code or 0, "error")
