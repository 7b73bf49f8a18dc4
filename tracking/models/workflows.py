"""What a run consists of: workflows, each attempt of them, and the jobs of an attempt."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from access.models import Project
from tracking.models.runs import TestRun
from tracking.querysets import AttemptQuerySet, WorkflowRunQuerySet


class Measured(models.Model):
    """Queue, execution and total time in seconds, as `tracking.timing` obtained them.

    What did not run has no time (null), never zero.
    """

    queue = models.FloatField(null=True, blank=True, editable=False)
    execution = models.FloatField(null=True, blank=True, editable=False)
    total = models.FloatField(null=True, blank=True, editable=False)
    method = models.CharField(max_length=20, blank=True, editable=False, help_text="How they were obtained.")
    quality = models.CharField(max_length=20, blank=True, editable=False, help_text="How far to trust them.")

    class Meta:
        abstract = True


class WorkflowRun(models.Model):
    """One intended workflow of a run.  The row exists before the workflow does.

    `dispatch_id` is made with the row and travels with the workflow, so that a workflow whose
    answer was lost can be found again and is never sent twice.
    """

    class DispatchState(models.TextChoices):
        INTENDED = "intended"  # nothing was sent yet
        SENDING = "sending"  # a request may be under way
        ACCEPTED = "accepted"  # the service has it
        REFUSED = "refused"  # the service said no
        UNKNOWN = "unknown"  # the answer was lost; looked for before it is sent again

    run = models.ForeignKey(TestRun, models.CASCADE, related_name="workflow_runs", db_index=False)
    # The run's, kept here so that a project's workflows of all runs are read newest first by an index.
    project = models.ForeignKey(Project, models.CASCADE, related_name="+", db_index=False)
    position = models.PositiveIntegerField(help_text="1, 2, 3 … in the order of the plan.")
    step = models.PositiveSmallIntegerField(default=0, help_text="Which step of the plan it belongs to.")
    name = models.CharField(max_length=255)
    workflow_file = models.CharField(max_length=255, blank=True)
    inputs: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    due_at = models.DateTimeField(help_text="Not sent before.")
    service = models.CharField(max_length=20)
    dispatch_id = models.CharField(max_length=40, unique=True, editable=False)
    dispatch_state = models.CharField(max_length=10, choices=DispatchState, default=DispatchState.INTENDED)
    sent_at = models.DateTimeField(null=True, blank=True)
    resent = models.PositiveSmallIntegerField(default=0, help_text="How often it was sent again.")
    repository_id = models.BigIntegerField(null=True, blank=True)
    github_run_id = models.BigIntegerField(null=True, blank=True)
    attempt = models.PositiveSmallIntegerField(default=0, help_text="The latest one; 0 before the first.")
    conclusion = models.CharField(
        max_length=40, blank=True, help_text="The service's word, kept as it comes; empty while open."
    )
    reason = models.TextField(blank=True, help_text="Why it ended so or was not sent, in plain words.")
    url = models.CharField(max_length=500, blank=True)
    visible_tag = models.CharField(max_length=255, blank=True, help_text="The tag seen in its title.")
    seen_at = models.DateTimeField(null=True, blank=True, help_text="When the service was last heard of it.")
    seen_by = models.CharField(max_length=20, blank=True, help_text="message, list or question")
    cancel_asked_at = models.DateTimeField(null=True, blank=True, help_text="When its end was asked for.")
    cancel_forced_at = models.DateTimeField(
        null=True, blank=True, help_text="When it was asked for by force."
    )

    objects = WorkflowRunQuerySet.as_manager()

    class Meta:
        ordering = ["run_id", "position"]
        indexes = [
            models.Index(fields=["project", "-id"], name="workflow_runs_project_idx"),
            models.Index(fields=["project", "id"], name="workflow_runs_open_idx", condition=Q(conclusion="")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["run", "position"], name="workflow_position_once"),
            models.UniqueConstraint(
                fields=["service", "repository_id", "github_run_id"],
                name="workflow_remote_once",
                condition=Q(github_run_id__isnull=False),
            ),
        ]

    @property
    def latest_attempt(self) -> WorkflowAttempt | None:
        """The attempt that decides; of prefetched ones without a query."""
        return max(self.attempts.all(), key=lambda attempt: attempt.number, default=None)

    def __str__(self) -> str:
        return f"{self.name} #{self.position}"

    @property
    def is_open(self) -> bool:
        return not self.conclusion


class WorkflowAttempt(Measured):
    """One try of a workflow; a re-run keeps the workflow and raises the number."""

    workflow = models.ForeignKey(WorkflowRun, models.CASCADE, related_name="attempts", db_index=False)
    number = models.PositiveSmallIntegerField(default=1)
    status = models.CharField(max_length=40, blank=True, help_text="The service's word, kept as it comes.")
    conclusion = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(null=True, blank=True)
    run_started_at = models.DateTimeField(null=True, blank=True)
    first_job_at = models.DateTimeField(null=True, blank=True, help_text="The first executed job's start.")
    completed_at = models.DateTimeField(
        null=True, blank=True, help_text="The last executed job's end, else when completion was first seen."
    )
    reported_at = models.DateTimeField(
        null=True, blank=True, help_text="The service's stamp of its completion, as it was first seen."
    )
    is_whole = models.BooleanField(default=False, help_text="Whether all of its jobs are known.")
    asked_at = models.DateTimeField(null=True, blank=True, help_text="When the service was last asked of it.")

    objects = AttemptQuerySet.as_manager()

    class Meta:
        ordering = ["workflow_id", "number"]
        constraints = [models.UniqueConstraint(fields=["workflow", "number"], name="attempt_once")]

    def __str__(self) -> str:
        return f"{self.workflow} attempt {self.number}"


class WorkflowJob(Measured):
    """One job of an attempt, with the machine that ran it and its raw stamps."""

    attempt = models.ForeignKey(WorkflowAttempt, models.CASCADE, related_name="jobs", db_index=False)
    job_id = models.BigIntegerField(help_text="The service's number of the job.")
    name = models.CharField(max_length=255)
    status = models.CharField(max_length=40, blank=True)
    conclusion = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    runner_id = models.BigIntegerField(null=True, blank=True)
    runner_name = models.CharField(max_length=255, blank=True)
    runner_group = models.CharField(max_length=255, blank=True)
    labels: models.JSONField[Any, Any] = models.JSONField(default=list, blank=True)
    waiting = models.FloatField(null=True, blank=True, help_text="Seconds of the queue spent on an approval.")
    setup = models.FloatField(
        null=True, blank=True, help_text="Seconds of the execution before its own first step."
    )
    reason = models.TextField(blank=True)
    url = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["attempt_id", "job_id"]
        constraints = [models.UniqueConstraint(fields=["attempt", "job_id"], name="job_once")]

    def __str__(self) -> str:
        return self.name
