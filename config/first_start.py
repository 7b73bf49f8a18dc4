"""What an empty database gets: an administrator, a project, and the demo."""

from __future__ import annotations

import fcntl
import os
import secrets

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from access.models import Project, User
from tracking.environments import give_environments


def ensure_database() -> None:
    """Make the embedded database and the project `default` where a command finds none.

    A named database server is never touched: its operator migrates it.  Of two commands that find
    none at once, one makes it and the other waits; one that is killed meanwhile leaves a mark, and
    the next goes on.
    """
    if connection.vendor != "sqlite":
        return
    mark = settings.DATA / "making_database"
    if not mark.exists() and connection.introspection.table_names():
        return
    with (settings.DATA / "making_database.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if mark.exists() or not connection.introspection.table_names():
            mark.touch()
            call_command("migrate", interactive=False, verbosity=0)
            make_project("default", "Default")
            mark.unlink()


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
