"""Which tables keep every version of a row, with who wrote it and when.

Only what people set: rows that machines write grow without bound, and their history is the row.  Writes of
a whole row are kept; `QuerySet.update` is for what machines note down, and leaves no version.
"""

from __future__ import annotations

from typing import Any

from simple_history import register

from access.models import Project, User
from tracking.models.definitions import Environment, Step, TestDefinition
from tracking.models.retention import RetentionPolicy
from tracking.models.schedules import Schedule

TRACKED: tuple[tuple[type[Any], tuple[str, ...]], ...] = (
    (Project, ("github_token", "webhook_secret")),  # secrets have no history
    (Environment, ()),
    (TestDefinition, ()),
    (Step, ()),
    (RetentionPolicy, ()),
    (Schedule, ("next_at", "last_at", "last_run", "problem")),
)


def writer(instance: Any, **known: Any) -> User | None:
    """The person who writes: set by the admin, else whose page it is; a program's token is nobody here."""
    by_page = getattr(known.get("request"), "user", None)
    user = getattr(instance, "_history_user", None) or by_page
    return user if isinstance(user, User) else None


for model, left_out in TRACKED:
    register(model, app="tracking", excluded_fields=list(left_out), get_user=writer)
