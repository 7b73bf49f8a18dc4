"""The history of test executions for scripts: one record per test and run.

Works in a plain `python` in the checkout: importing this module sets Django up.

>>> database = ExecutionDatabase()  # doctest: +SKIP
>>> database.insert_execution_history(ExecutionHistory(...))  # doctest: +SKIP
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django
from django.apps import apps
from django.conf import settings


def set_up(database: str = "") -> None:
    """Set Django up on a database of its own, or on the one that the environment names."""
    if apps.ready:
        if database and not _is_used(database):
            raise ValueError(
                "This process uses another database already: its first use chooses it."
                " Use a process of its own for each database."
            )
        return
    if database:
        os.environ["RUNTRAIL_DB"] = database
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    if "config" in settings.INSTALLED_APPS:
        from django.utils.module_loading import import_string

        import_string("config.first_start.ensure_database")()


def _is_used(database: str) -> bool:
    """Whether `database`, a URL or a file, is the one that this process was set up on."""
    if "://" in database:
        return database in (os.environ.get("RUNTRAIL_DB"), os.environ.get("DATABASE_URL"))
    return Path(database).absolute() == Path(str(settings.DATABASES["default"]["NAME"])).absolute()


@dataclass
class ExecutionHistory:
    """How one test went in one run; `status` in capitals, `duration` in seconds."""

    execution_id: str
    entity_id: str
    timestamp: datetime
    status: str
    entity_type: str = "test"
    duration: float | None = None
    space: str = "local"
    metadata: Mapping[str, Any] = field(default_factory=dict)


class ExecutionDatabase:
    """The one history, as a store of records.

    Args:
        path: a SQLite file or the URL of a database, made and migrated when new; without one the database
            that the environment names.  It holds for the whole process, from the first use on.
            Another one later raises ValueError.
        project: slug; without one `default`, or the only one there is.
    """

    def __init__(self, path: str = "", project: str | None = None) -> None:
        set_up(str(path))
        from access.projects import project_named

        self.project = project_named(project)

    def insert_execution_history(self, record: ExecutionHistory) -> None:
        """Add one record; the run of its `execution_id` is made where it is new."""
        self.insert_execution_histories([record])

    def insert_execution_histories(self, records: list[ExecutionHistory]) -> None:
        """Add records, which may be of several runs."""
        from executions.records import keep_records

        keep_records(self.project, records, now=datetime.now(UTC))

    def get_execution_history(
        self, entity_id: str | None = None, space: str | None = None, limit: int = 100
    ) -> list[ExecutionHistory]:
        """Return records, newest first; of one test, or of all."""
        from executions.records import records_of

        return [
            ExecutionHistory(**row)
            for row in records_of(self.project, entity_id=entity_id, space=space or "", limit=limit)
        ]

    def update_entity_statistics(self, statistics: Any) -> None:
        """Statistics are kept with every record; nothing is left to do here."""

    def close(self) -> None:
        """Close the connection."""
        from django.db import connections

        connections.close_all()
