"""The table of results is cut by month on PostgreSQL, so that a month can be dropped in no time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction
from django.db.migrations.operations import CreateModel

_LOCK = 5_021_907  # any number that nothing else here locks


class CreatePartitionedModel(CreateModel):
    """CreateModel without the primary key's constraint; on PostgreSQL partitioned by range of one column."""

    def __init__(self, *args: Any, partition_key: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.partition_key = partition_key

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        sql, params = schema_editor.table_sql(model)
        sql = re.sub(r",\s*(CONSTRAINT \S+ )?PRIMARY KEY \([^)]*\)", "", sql, count=1)
        if schema_editor.connection.vendor == "postgresql":
            sql += f" PARTITION BY RANGE ({schema_editor.quote_name(self.partition_key)})"
        schema_editor.execute(sql, params or None)
        table = model._meta.db_table
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f'CREATE TABLE "{table}_default" PARTITION OF "{table}" DEFAULT')
        schema_editor.deferred_sql.extend(schema_editor._model_indexes_sql(model))

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        name, args, options = super().deconstruct()
        return name, args, {**options, "partition_key": self.partition_key}


def ensure_month(table: str, at: datetime) -> None:
    """Make the partition of the month (UTC) of `at` where there is none; nothing to do elsewhere.

    A row in the default partition would forbid its month for ever, so this comes before every insert.
    """
    if connection.vendor != "postgresql":
        return
    begin = at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    end = begin.replace(year=begin.year + begin.month // 12, month=begin.month % 12 + 1)
    name = f"{table}_{begin:%Y%m}"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [name])
        if cursor.fetchone()[0]:
            return
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        cursor.execute(
            f'CREATE TABLE IF NOT EXISTS "{name}" PARTITION OF "{table}" '
            f"FOR VALUES FROM ('{begin:%Y-%m-%d} 00:00+00') TO ('{end:%Y-%m-%d} 00:00+00')"
        )


def drop_month(table: str, begin: datetime, end: datetime) -> None:
    """Drop the rows that began in one month."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f'DROP TABLE IF EXISTS "{table}_{begin:%Y%m}"')
        else:
            cursor.execute(
                f'DELETE FROM "{table}" WHERE started_at >= %s AND started_at < %s',  # noqa: S608
                [begin.astimezone(UTC).replace(tzinfo=None), end.astimezone(UTC).replace(tzinfo=None)],
            )
