"""What can be run, and where."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from access.models import Project
from tracking.querysets import DefinitionQuerySet, EnvironmentQuerySet

name_validator = RegexValidator(
    r"^[a-z0-9][a-z0-9-]*\Z", "Use small letters, digits and hyphens, beginning with a letter or digit."
)
# It becomes the first part of a test_run_id, which ends in three parts that are joined by "_".
test_type_validator = RegexValidator(
    r"^[a-z0-9][a-z0-9_-]*\Z", "Use small letters, digits, hyphens and underscores."
)

# What the API and profiles take as well: more is a slip, and a run of it could not be stored.
YEAR, DAY = 31_536_000, 86_400  # seconds
at_most_a_year, at_most_a_day = MaxValueValidator(YEAR), MaxValueValidator(DAY)
at_most_many = MaxValueValidator(10_000)


def is_handed_over(kind: str) -> bool:
    """Whether runs of this kind are no workflows and no suite, but run whole by what RUN_KINDS names."""
    return kind not in (TestDefinition.WORKFLOWS, TestDefinition.SUITE)


class Environment(models.Model):
    """The system under test, and the service that runs tests there.

    `name` is kept in its hyphen form; `aws_ecs` and `aws-ecs` name the same environment
    (`identifiers.environment_name`).
    """

    class Kind(models.TextChoices):
        DEV = "dev"
        STAGING = "staging"
        PROD = "prod"
        LOCAL = "local"
        CI = "ci"

    project = models.ForeignKey(Project, models.CASCADE, related_name="environments")
    name = models.CharField(max_length=50, validators=[name_validator])
    kind = models.CharField(max_length=10, choices=Kind)
    service = models.CharField(max_length=20, default="local", help_text="A key of settings.CI_SERVICES.")
    ref = models.CharField(max_length=255, blank=True, help_text="Branch or tag; empty: the default branch.")
    inputs: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)

    objects = EnvironmentQuerySet.as_manager()

    class Meta:
        ordering = ["project", "name"]
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="environment_name_once"),
            models.CheckConstraint(
                name="environment_kind_known", condition=Q(kind__in=["dev", "staging", "prod", "local", "ci"])
            ),
        ]

    def __str__(self) -> str:
        return self.name


class TestDefinition(models.Model):
    """What can be run: a test type and the steps that a run of it sends."""

    __test__ = False  # or pytest tries to collect this class
    WORKFLOWS, SUITE = "workflows", "suite"  # kinds; the others are keys of settings.RUN_KINDS

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="definitions")
    name = models.CharField(max_length=50, validators=[name_validator])
    test_type = models.CharField(max_length=40, validators=[test_type_validator])
    kind = models.CharField(max_length=20, default="workflows", help_text="workflows, or a key of RUN_KINDS.")
    description = models.TextField(blank=True)
    timeout = models.PositiveIntegerField(
        default=3600,
        validators=[at_most_a_year],
        help_text="Seconds until a run that hangs is closed as error.",
    )
    version = models.PositiveIntegerField(default=1, help_text="Raised with every change of its steps.")
    folder = models.CharField(
        max_length=1000,
        blank=True,
        help_text="Where local commands run: the folder of the file it came from.",
    )
    expected: models.JSONField[Any, Any] = models.JSONField(
        default=list, blank=True, help_text="Of a suite: cases that have to be reported, by node id."
    )
    reports: models.JSONField[Any, Any] = models.JSONField(
        default=list, blank=True, help_text="Of a suite: report files that its command writes, as in *.xml."
    )
    is_from_shell = models.BooleanField(
        default=False, help_text="Only definitions loaded from a shell may run commands on this machine."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = DefinitionQuerySet.as_manager()

    class Meta:
        ordering = ["project", "name"]
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="definition_name_once"),
            models.CheckConstraint(name="definition_timeout_positive", condition=Q(timeout__gte=1)),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_handed_over(self) -> bool:
        """Whether an upper floor runs it whole (settings.RUN_KINDS), so that it has no steps of its own."""
        return is_handed_over(self.kind)


class Step(models.Model):
    """One workflow of a definition, sent `count` times; or, on the local service, one command."""

    definition = models.ForeignKey(TestDefinition, models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    workflow = models.CharField(max_length=255, blank=True, help_text="File name, as in build_job.yml.")
    command: models.JSONField[Any, Any] = models.JSONField(
        default=list, blank=True, help_text="Argument list for the local service; {job_name} is replaced."
    )
    count = models.PositiveIntegerField(default=1, validators=[at_most_many])
    inputs: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    start_after = models.FloatField(
        default=0, validators=[at_most_a_year], help_text="Seconds after the run's start."
    )
    spacing = models.FloatField(
        default=0, validators=[at_most_a_day], help_text="Seconds between two of them."
    )
    at_most = models.PositiveIntegerField(
        default=0, validators=[at_most_many], help_text="In flight at once; 0 is no limit."
    )
    timeout = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[at_most_a_year],
        help_text="Seconds for one job; empty: the definition's.",
    )

    class Meta:
        ordering = ["definition", "position"]
        constraints = [
            models.UniqueConstraint(fields=["definition", "position"], name="step_position_once"),
            models.CheckConstraint(
                name="step_numbers_sane",
                condition=Q(count__gte=1, start_after__gte=0, spacing__gte=0)
                & (Q(timeout__isnull=True) | Q(timeout__gte=1)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.count} × {self.name}"

    @property
    def name(self) -> str:
        """The stem of the workflow file (`build_job`), or of the command's script."""
        if self.workflow:
            return self.workflow.rsplit("/", 1)[-1].rsplit(".", 1)[0]
        script = next((word for word in self.command if word.endswith(".py")), None)
        return (script or (self.command or ["job"])[0]).rsplit("/", 1)[-1].removesuffix(".py")
