"""Questions about many users, projects and tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.db import models

if TYPE_CHECKING:
    from datetime import datetime


class ProjectQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: Any) -> Self:
        """The projects a user is a member of; all of them for a superuser."""
        if user.is_superuser:
            return self
        return self.filter(memberships__user=user)


class MembershipQuerySet(models.QuerySet[Any]):
    def role_of(self, user: Any, project: Any) -> str | None:
        """The role of the user in the project, or None for a stranger."""
        return self.filter(user=user, project=project).values_list("role", flat=True).first()


class TokenQuerySet(models.QuerySet[Any]):
    def valid(self, now: datetime) -> Self:
        """The tokens that still open the door."""
        return self.filter(revoked_at=None).exclude(expires_at__lte=now)
