"""Who: users, projects, what each may do in them, tokens for programs, and the record of what was done."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractUser
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from encrypted_fields.fields import EncryptedCharField

from access.querysets import MembershipQuerySet, ProjectQuerySet, TokenQuerySet

slug_validator = RegexValidator(
    r"^[a-z0-9][a-z0-9-]*\Z", "Use small letters, digits and hyphens, beginning with a letter or digit."
)

# It becomes part of an address that is asked with a token, so it leads nowhere else: `../..` is none.
REPOSITORY = r"^(?!\.+/)[A-Za-z0-9._-]+/(?!\.+\Z)[A-Za-z0-9._-]+\Z"
repository_validator = RegexValidator(REPOSITORY, "Write the repository as owner/name.")


class Role(models.TextChoices):
    """What somebody may do in a project; each role includes the ones before it."""

    VIEWER = "viewer"  # sees everything
    REPORTER = "reporter"  # also starts, repeats and cancels runs, and reports results
    MAINTAINER = "maintainer"  # also changes definitions and environments
    ADMINISTRATOR = "administrator"  # also members, tokens and secrets

    def includes(self, other: Role) -> bool:
        """Whether somebody with this role may do what `other` may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


class User(AbstractUser):
    """A person, with the time zone that pages show them."""

    time_zone = models.CharField(max_length=64, default="UTC", help_text="As in Europe/Berlin.")


class Project(models.Model):
    """One repository under test; owns definitions, environments and the history of its runs."""

    slug = models.CharField(max_length=50, unique=True, validators=[slug_validator])
    name = models.CharField(max_length=100)
    repository = models.CharField(
        max_length=200, blank=True, validators=[repository_validator], help_text="owner/name on GitHub"
    )
    default_branch = models.CharField(max_length=255, default="main")
    github_token = EncryptedCharField(max_length=2000, blank=True, null=True)
    webhook_secret = EncryptedCharField(max_length=500, blank=True, null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.slug


class Membership(models.Model):
    """The role of one user in one project."""

    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    project = models.ForeignKey(Project, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role, default=Role.VIEWER)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        ordering = ["project", "user"]
        constraints = [
            models.UniqueConstraint(fields=["user", "project"], name="membership_once"),
            models.CheckConstraint(name="membership_role_known", condition=Q(role__in=Role.values)),
        ]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.project}"


class ApiToken(models.Model):
    """A program's key to one project.  Only its SHA-256 is stored; the token is shown once."""

    class Scope(models.TextChoices):
        READ = "read"
        REPORT = "report"
        ADMIN = "admin"

    project = models.ForeignKey(Project, models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    scope = models.CharField(max_length=10, choices=Scope, default=Scope.READ)
    prefix = models.CharField(max_length=12, help_text="The token's beginning, to recognize it by.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="tokens")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = TokenQuerySet.as_manager()

    class Meta:
        ordering = ["project", "name"]
        constraints = [  # a revoked one gives its name to the token that takes its place
            models.UniqueConstraint(
                fields=["project", "name"], condition=Q(revoked_at=None), name="token_name_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def role(self) -> Role:
        """What the token may do, in the words of people's roles."""
        roles = {"read": Role.VIEWER, "report": Role.REPORTER, "admin": Role.ADMINISTRATOR}
        return roles[self.scope]

    def is_valid(self, now: datetime) -> bool:
        """Whether the token still opens the door."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


class AuditEntry(models.Model):
    """What somebody did, kept forever; the admin shows it and changes nothing."""

    at = models.DateTimeField(default=timezone.now, editable=False)
    actor = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    actor_name = models.CharField(max_length=255, help_text="Kept when the user is gone.")
    project = models.ForeignKey(Project, models.SET_NULL, null=True, blank=True, related_name="+")
    action = models.CharField(max_length=50, help_text="As in run.cancel.")
    target = models.CharField(max_length=255, blank=True)
    detail: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-at", "-id"]
        verbose_name_plural = "audit entries"
        indexes = [models.Index(fields=["project", "-at"], name="audit_project_idx")]

    def __str__(self) -> str:
        return f"{self.actor_name} {self.action} {self.target}"
