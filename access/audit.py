"""Write down what somebody did."""

from __future__ import annotations

from typing import Any

from access.models import AuditEntry, Project, User


def record(
    action: str, *, actor: User | str, project: Project | None = None, target: object = "", **detail: Any
) -> AuditEntry:
    """Keep that `actor` did `action` to `target`; `actor` is a user or the name of a program."""
    user = actor if isinstance(actor, User) else None
    return AuditEntry.objects.create(
        actor=user,
        actor_name=str(actor)[:255],
        project=project,
        action=action,
        target=str(target)[:255],
        detail=detail,
    )
