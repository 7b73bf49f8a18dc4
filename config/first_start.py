"""What an empty database gets: an administrator, a project, and the demo."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from access.models import Project, User
from tracking.environments import give_environments


def ensure_database() -> None:
    """Make the embedded database and the project `default` where a command finds none.

    A named database server is never touched: its operator migrates it.
    """
    if connection.vendor != "sqlite":
        return
    if not is_half_made() and connection.introspection.table_names():
        return
    with _one_at_a_time():
        if is_half_made() or not connection.introspection.table_names():
            _migrate()
            make_project("default", "Default")
            if os.environ.get("RUNTRAIL_DB") and settings.PROJECT not in {"", "default"}:
                # Somebody's usual project can't be in a file that `--db` makes just now.
                make_project(settings.PROJECT, settings.PROJECT)


def bring_up_to_date() -> None:
    """Migrate the database, whichever it is."""
    with _one_at_a_time():
        _migrate()


def is_half_made() -> bool:
    """Whether somebody who migrated the database was killed meanwhile."""
    return _mark().exists()


def _migrate() -> None:
    _mark().touch()
    call_command("migrate", interactive=False, verbosity=0)
    _mark().unlink()


def _mark() -> Path:
    return settings.DATA / "making_database"


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Of several that want to make the database at once, one does and the others wait."""
    with (settings.DATA / "making_database.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make_project(slug: str, name: str) -> Project:
    """Return the project called `slug` with its five environments; both made where they are new."""
    project, _ = Project.objects.get_or_create(slug=slug, defaults={"name": name})
    give_environments(project)
    return project


def make_administrator() -> str | None:
    """Create `admin` where there is no user yet; return its password if it was made up here."""
    if User.objects.exists():
        return None
    given = os.environ.get("RUNTRAIL_ADMIN_PASSWORD", "")
    password = given or secrets.token_urlsafe(12)
    User.objects.create_superuser("admin", password=password)
    return None if given else password


def migrations_stamp() -> str:
    """What the database was last migrated to, as far as this checkout can tell without asking it."""
    folders = sorted(settings.BASE_DIR.glob("*/migrations/0*.py"))
    return " ".join(f"{path.parent.parent.name}/{path.stem}" for path in folders)
