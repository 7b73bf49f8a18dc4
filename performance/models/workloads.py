"""What load is put on which system, and each time it was."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator, URLValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from encrypted_fields.fields import EncryptedTextField

from access.models import Project
from performance.querysets import WorkloadQuerySet, WorkloadRunQuerySet
from tracking.models import Environment, TestDefinition, TestRun

host_validator = RegexValidator(
    r"^(\[[0-9a-f:]+\]|[a-z0-9]([a-z0-9.-]*[a-z0-9])?)(:[0-9]{1,5})?\Z",
    "Write a host as shop.example.com, 127.0.0.1 or [::1], in small letters, with or without :port.",
)

validate_address = URLValidator(schemes=["http", "https"])


class TargetHost(models.Model):
    """A host that the project calls its own: no load is ever put on another one."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="target_hosts")
    host = models.CharField(
        max_length=255, validators=[host_validator], help_text="Name or address; with :port only that port."
    )
    note = models.CharField(max_length=255, blank=True)
    added_by = models.CharField(max_length=255, blank=True, editable=False)
    added_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["project", "host"]
        constraints = [models.UniqueConstraint(fields=["project", "host"], name="target_host_once")]

    def __str__(self) -> str:
        return self.host

    def clean(self) -> None:
        _, _, port = self.host.rpartition("]")[2].partition(":")
        if port and not 0 < int(port) < 2**16:
            raise ValidationError({"host": f"There is no port {port}; ports go from 1 to 65535."})

    def allows(self, host: str, port: int) -> bool:
        """Whether load may be put on `host`:`port` by this entry."""
        if self.host == host.lower():
            return True
        return self.host == f"{host.lower()}:{port}"


class Workload(models.Model):
    """What load is put on a system: requests or a scenario, arrivals, length, checks.

    `spec` has the shape of `performance.specification`; runs of it are runs of `definition`, whose kind is
    `workload`, so that they stand in the one history and start by the same doors.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    definition = models.OneToOneField(TestDefinition, models.PROTECT, related_name="workload")
    project = models.ForeignKey(Project, models.CASCADE, related_name="workloads")
    name = models.CharField(max_length=50)
    description = models.TextField(blank=True)
    environment = models.ForeignKey(Environment, models.PROTECT, related_name="workloads")
    target = models.CharField(
        max_length=500,
        validators=[validate_address],
        help_text="Where the load goes, as in http://127.0.0.1:8080.",
    )
    generator = models.CharField(
        max_length=20, default="open_loop", help_text="A key of settings.LOAD_GENERATORS."
    )
    spec: models.JSONField[Any, Any] = models.JSONField(default=dict)
    locustfile = models.TextField(blank=True, help_text="A Locust file of the team's own; only from a shell.")
    secrets = EncryptedTextField(
        blank=True, null=True, help_text="Values of {{names}} in headers and bodies, as a JSON object."
    )
    version = models.PositiveIntegerField(default=1, help_text="Raised with every change of the load.")
    same_within = models.FloatField(default=0.05, help_text="Share that makes no difference to anybody.")
    is_archived = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = WorkloadQuerySet.as_manager()

    class Meta:
        ordering = ["project", "name"]
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="workload_name_once"),
            models.CheckConstraint(name="workload_same_within_sane", condition=Q(same_within__gte=0)),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def has_secrets(self) -> bool:
        """Whether values are stored; they are never shown."""
        return bool(self.secrets)


class Component(models.Model):
    """A variant of the system under the same workload: another address, header or setting."""

    workload = models.ForeignKey(Workload, models.CASCADE, related_name="components")
    name = models.CharField(max_length=50)
    target = models.CharField(
        max_length=500, validators=[validate_address], blank=True, help_text="Empty: the workload's."
    )
    headers: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    variables: models.JSONField[Any, Any] = models.JSONField(
        default=dict, blank=True, help_text="Values of {{names}} in paths, headers and bodies."
    )
    price_per_hour = models.FloatField(null=True, blank=True, help_text="In `currency`; empty: not known.")
    currency = models.CharField(max_length=3, default="USD")

    class Meta:
        ordering = ["workload", "name"]
        constraints = [models.UniqueConstraint(fields=["workload", "name"], name="component_name_once")]

    def __str__(self) -> str:
        return self.name


class WorkloadRun(models.Model):
    """One drive of a workload; its status, times and place in history are those of `run`.

    `spec` is frozen at the start. The samples lie as one file in the storage `artifacts`; what is counted
    of them stands in `Metric`. A run that came in from another tool has `tool` and no samples.
    """

    class Purpose(models.TextChoices):
        PLAIN = "plain"
        COMPARISON = "comparison"
        OPTIMIZATION = "optimization"
        TRACK = "track"
        CALIBRATION = "calibration"  # identical runs that tell the noise

    run = models.OneToOneField(TestRun, models.CASCADE, primary_key=True, related_name="workload_run")
    workload = models.ForeignKey(Workload, models.CASCADE, related_name="runs", db_index=False)
    started_at = models.DateTimeField(help_text="The same as the run's, for the order of a workload's runs.")
    component = models.ForeignKey(
        Component, models.SET_NULL, null=True, blank=True, related_name="runs", help_text="Empty: none."
    )
    purpose = models.CharField(max_length=12, choices=Purpose, default=Purpose.PLAIN)
    version = models.PositiveIntegerField(default=1)
    generator = models.CharField(max_length=20, blank=True)
    tool = models.CharField(max_length=30, blank=True, help_text="Which other tool measured it; empty: we.")
    digest = models.CharField(
        max_length=64,
        blank=True,
        help_text="SHA-256 of the file that it was taken from; empty: measured here.",
    )
    spec: models.JSONField[Any, Any] = models.JSONField(default=dict)
    seed = models.BigIntegerField(default=0)
    load_started_at = models.DateTimeField(null=True, blank=True)
    load_ended_at = models.DateTimeField(null=True, blank=True)
    requests = models.BigIntegerField(default=0, help_text="Measured ones, without warm-up.")
    errors = models.BigIntegerField(default=0)
    samples = models.CharField(max_length=255, blank=True, help_text="Name in the storage `artifacts`.")
    samples_bytes = models.BigIntegerField(default=0)
    generator_limit = models.TextField(
        blank=True, help_text="Why the generator, not the target, was the limit."
    )
    stopped_early = models.TextField(blank=True, help_text="Why the load ended before its planned length.")
    generator_facts: models.JSONField[Any, Any] = models.JSONField(
        default=dict, blank=True, help_text="Version, machine, processes, CPU share, punctuality in seconds."
    )
    progress: models.JSONField[Any, Any] = models.JSONField(
        default=dict, blank=True, help_text="What the generator said last, once a second."
    )
    summarized_at = models.DateTimeField(null=True, blank=True)
    analyzed_at = models.DateTimeField(null=True, blank=True, help_text="When bottlenecks were looked for.")
    watched_at = models.DateTimeField(null=True, blank=True, help_text="When its series were looked through.")

    objects = WorkloadRunQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at", "-run_id"]
        indexes = [
            models.Index(fields=["workload", "-started_at"], name="workload_runs_history_idx"),
            models.Index(
                fields=["started_at"], name="workload_runs_unwatched_idx", condition=Q(watched_at=None)
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="workload_run_counts_sane", condition=Q(requests__gte=0, errors__gte=0)
            ),
            models.UniqueConstraint(
                fields=["workload", "digest"], condition=~Q(digest=""), name="workload_run_imported_once"
            ),
        ]

    def __str__(self) -> str:
        return self.run.test_run_id

    @property
    def error_share(self) -> float | None:
        """Errors among measured requests, 0 to 1; None where nothing was measured."""
        return self.errors / self.requests if self.requests else None
