"""Large reports wait as files until a worker reads them; the row is the event, and its file what it needs.

Reading a gigabyte takes minutes, and whoever sends it should not have to hold a connection for so long.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, BinaryIO, cast

from django.core.files import File
from django.core.files.storage import Storage

from access.models import Project
from executions.ingest import Conflict, first_of, ingest_report, key_of, refuse
from executions.models import Report
from executions.reports.base import Limits, UnreadableReport
from executions.staging import TooManyCases, content_digest
from executions.told import Options

MOST_TRIES = 3  # of a report whose reading ends with the worker
GONE = "Its file is gone from the storage. Send it again."
GIVEN_UP = f"A worker ended {MOST_TRIES} times while it was read; its log says more. Send it in shards."


def keep_upload(
    file: BinaryIO,
    *,
    project: Project,
    now: datetime,
    storage: Storage,
    limits: Limits,
    name: str = "",
    format: str = "",
    **told: Any,
) -> Report:
    """Keep an upload for a worker and return its row; what came before is answered with the row of that time.

    Args:
        file: the upload; it must be seekable.
        told: the fields of `executions.told.Options` that are known, as JSON can hold them.

    Raises:
        UnreadableReport: the archive is damaged or beyond a limit; nothing was kept but a refused row.
    """
    sender = told.get("triggered_by", "")
    try:
        digest, _ = content_digest(file, limits)
    except UnreadableReport as problem:
        refuse(project, str(problem), name=name, sent_by=sender, now=now)
        raise
    key = key_of(Options(**{word: value for word, value in told.items() if value}))
    waiting = Report.objects.queued().filter(project=project, key=key, digest=digest).first()
    before = first_of(project, key, digest) or waiting
    if before:
        return before
    file.seek(0)
    row = Report(project=project, key=key, digest=digest, status=Report.Status.QUEUED, received_at=now)
    row.name, row.sent_by = name[:300], sender[:255]
    row.upload = storage.save(f"uploads/{uuid.uuid4().hex}", File(file))
    row.options = {"format": format, "told": told, "tries": 0}
    row.save()
    return row


def take_upload(
    report_pk: int, *, storage: Storage, limits: Limits, most_cases: int | None, now: datetime
) -> Report | None:
    """Read a report that waits, and make its row what came of it; None where it waits no longer.

    May be repeated, also by two workers at once: the same content is stored once.
    """
    row = Report.objects.queued().filter(pk=report_pk).select_related("project").first()
    if row is None:
        return None
    if row.options["tries"] >= MOST_TRIES:
        return _end(row, GIVEN_UP, storage)
    Report.objects.queued().filter(pk=row.pk).update(
        options={**row.options, "tries": row.options["tries"] + 1}
    )
    told = {key: value for key, value in row.options["told"].items() if value}
    if "shard" in told:
        told["shard"] = tuple(told["shard"])
    upload = row.upload
    try:
        with storage.open(upload) as file:
            done = ingest_report(
                cast(BinaryIO, file),
                project=row.project,
                now=now,
                name=row.name,
                format=row.options["format"],
                limits=limits,
                most_cases=most_cases,
                waiting=row,
                **told,
            )
    except FileNotFoundError:
        return _end(row, GONE, storage)
    except (UnreadableReport, TooManyCases, Conflict, ValueError) as problem:
        return _end(row, str(problem), storage)
    if done.pk != row.pk:
        return _end(row, f"It is report {done.pk} once more; nothing was changed.", storage)
    storage.delete(upload)
    return done


def _end(row: Report, reason: str, storage: Storage) -> Report:
    """Refuse a report that waited; its file goes."""
    kept = Report.objects.get(pk=row.pk)
    if kept.status == Report.Status.QUEUED:
        upload, kept.status, kept.reason, kept.upload = kept.upload, Report.Status.REFUSED, reason[:2000], ""
        kept.save(update_fields=["status", "reason", "upload"])
        storage.delete(upload)
    return kept
