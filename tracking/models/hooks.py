"""What a CI service told by itself, and what is known of the repositories that are watched."""

from __future__ import annotations

import zlib

from django.db import models
from django.db.models import Q
from django.utils import timezone

from access.models import Project
from tracking.querysets import DeliveryQuerySet


class WebhookDelivery(models.Model):
    """A signed message of a CI service, kept as it came before anything is made of it.

    The row is the event: a worker that dies leaves it `received`, and the sweep takes it up.
    """

    class State(models.TextChoices):
        RECEIVED = "received"  # to be worked on
        APPLIED = "applied"
        STRANGER = "stranger"  # of a workflow that Runtrail does not know (yet)
        IGNORED = "ignored"  # of a kind that Runtrail has no use for
        FAILED = "failed"  # could not be read

    guid = models.CharField(max_length=64, help_text="The same when it is delivered again.")
    project = models.ForeignKey(
        Project,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        help_text="Whose secret signed it; empty: the installation's.",
    )
    event = models.CharField(max_length=40)
    action = models.CharField(max_length=40, blank=True)
    body = models.BinaryField(help_text="The raw bytes, compressed.")
    received_at = models.DateTimeField(default=timezone.now)
    times = models.PositiveIntegerField(default=1, help_text="How often it came.")
    state = models.CharField(max_length=10, choices=State, default=State.RECEIVED)
    problem = models.TextField(blank=True)
    repository_id = models.BigIntegerField(null=True, blank=True)
    github_run_id = models.BigIntegerField(null=True, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "webhook deliveries"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["id"], name="deliveries_to_do_idx", condition=Q(state="received")),
            models.Index(
                fields=["github_run_id"], name="deliveries_strangers_idx", condition=Q(state="stranger")
            ),
            models.Index(fields=["received_at"], name="deliveries_received_idx"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["guid", "project"],
                condition=Q(project__isnull=False),
                name="delivery_once_of_project",
            ),
            models.UniqueConstraint(fields=["guid"], condition=Q(project=None), name="delivery_once"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.guid}"

    @property
    def raw(self) -> bytes:
        """The body as it came."""
        return zlib.decompress(bytes(self.body))


class CIRepository(models.Model):
    """A repository whose workflow runs are followed: one list call serves all of them.

    It is known by the service's number, so that it may be renamed or transferred.
    """

    service = models.CharField(max_length=20)
    repository_id = models.BigIntegerField()
    full_name = models.CharField(max_length=255, help_text="owner/name, as it was last seen.")
    default_branch = models.CharField(max_length=255, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True, help_text="When somebody last began to list.")
    listed_at = models.DateTimeField(null=True, blank=True, help_text="When a list was last read whole.")
    listed_since = models.DateTimeField(null=True, blank=True, help_text="How far back that list went.")
    hook_at = models.DateTimeField(null=True, blank=True, help_text="When a message last came.")

    class Meta:
        verbose_name = "CI repository"
        verbose_name_plural = "CI repositories"
        ordering = ["full_name"]
        constraints = [
            models.UniqueConstraint(fields=["service", "repository_id"], name="ci_repository_once")
        ]

    def __str__(self) -> str:
        return self.full_name
