"""Make tokens for programs, and know them again."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from access.audit import record
from access.models import ApiToken, Project, User

PREFIX = "rt_"
_SEEN_EVERY = timedelta(minutes=1)  # so that a busy token does not write a row with every request


def new_token(
    project: Project,
    name: str,
    scope: str,
    *,
    by: User | str,
    expires_at: datetime | None = None,
) -> tuple[ApiToken, str]:
    """Make a token; return its row and its text, which is kept nowhere and can't be shown again.

    Raises:
        ValueError: the name is taken, or the scope is none.
    """
    if scope not in ApiToken.Scope.values:
        raise ValueError(f"There is no scope {scope!r}; there are {', '.join(ApiToken.Scope.values)}.")
    if not name.strip() or len(name) > 100:
        raise ValueError("A token needs a name of 1 to 100 characters, to know it by.")
    text = PREFIX + secrets.token_urlsafe(32)
    try:
        with transaction.atomic():
            token = ApiToken.objects.create(
                project=project,
                name=name,
                scope=scope,
                prefix=text[:8],
                digest=digest_of(text),
                created_by=by if isinstance(by, User) else None,
                expires_at=expires_at,
            )
            record("token.create", actor=by, project=project, target=name, scope=scope)
    except IntegrityError:
        taken = f"{project} has a token named {name!r} already; revoke it or choose another name."
        raise ValueError(taken) from None
    return token, text


def token_of(text: str, *, now: datetime) -> ApiToken | None:
    """Return the token that opens the door, or None; when it was last used is kept to the minute."""
    found: ApiToken | None = (
        ApiToken.objects.valid(now).select_related("project").filter(digest=digest_of(text)).first()
    )
    if found and (found.last_used_at is None or now - found.last_used_at > _SEEN_EVERY):
        ApiToken.objects.filter(pk=found.pk).update(last_used_at=now)
    return found


def revoke(token: ApiToken, *, by: User | str, now: datetime) -> bool:
    """Close the door for a token, forever; True for the first who did."""
    with transaction.atomic():
        first = ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now)
        if first:
            record("token.revoke", actor=by, project=token.project, target=token.name)
    return bool(first)


def digest_of(text: str) -> str:
    """Return the SHA-256 of a token: it is random enough to need no salt."""
    return hashlib.sha256(text.encode()).hexdigest()
