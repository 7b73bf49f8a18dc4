"""Take a test report in: read wholly, then stored and counted in one transaction, once.

Desk and CI meet here and nowhere else.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, BinaryIO, cast

from django.db import IntegrityError, connection, transaction

from access.models import Project
from executions.counting import Tally
from executions.models import Report
from executions.models.results import Flag
from executions.outcome import close_if_whole, grow
from executions.partitions import ensure_month
from executions.places import Place, place_of
from executions.reports.base import Limits, UnreadableReport
from executions.staging import Staged, TooManyCases, stage
from executions.storing import SERIES, Slot, store_chunk
from executions.told import Options
from tracking.models import TestRun

DEFAULT_LIMITS = Limits()
_MOST_REPORTS = 32_000 // SERIES  # of one run; the number of a row's report is part of two bytes
_COUNTS = ("passed", "failed", "error", "skipped", "xfailed", "xpassed")
_IN_MEMORY = 8 << 20


class Conflict(Exception):
    """The report contradicts what is stored; the text says what and what to do."""


def ingest_report(
    file: BinaryIO,
    *,
    project: Project,
    now: datetime,
    name: str = "",
    format: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
    most_cases: int | None = None,
    run_of: Callable[[], TestRun] | None = None,
    waiting: Report | None = None,
    **told: Any,
) -> Report:
    """Store one upload (plain, gzip or zip) for a run, and return its row.

    Without `test_run_id` the run is the one that the report names, or a new one.  The same content (`key_of`)
    is stored once: the row of the first time is returned, with `is_new` false.

    Args:
        now: when it was received.
        most_cases: refuse more than that many tries.
        run_of: gives the run once the report has been read wholly, so that none is made for a refused one.
        waiting: a row that becomes the report's, or stays as it is where the report is refused.
        told: the fields of `executions.told.Options`, as far as they are known.

    Raises:
        UnreadableReport, TooManyCases, Conflict, ValueError: nothing was stored but a refused row.
    """
    options = Options(**{key: value for key, value in told.items() if value is not None})
    try:
        how: dict[str, Any] = {"name": name, "limits": limits, "most_cases": most_cases}
        with seekable(file, limits) as stream, closing(stage(stream, format=format or "", **how)) as staged:
            if run_of:
                options = replace(options, test_run_id=run_of().test_run_id)
            options = options.completed(staged.context)
            return keep(staged, project, options, name=name, now=now, waiting=waiting)
    except (UnreadableReport, TooManyCases, Conflict, ValueError) as refusal:
        if waiting is None:
            refuse(project, str(refusal), name=name, sent_by=options.triggered_by, now=now)
        raise


def keep(
    staged: Staged,
    project: Project,
    options: Options,
    *,
    name: str = "",
    now: datetime,
    waiting: Report | None = None,
) -> Report:
    """Store what was staged in one transaction; the row of the first time where it is there already."""
    key = key_of(options)
    first = first_of(project, key, staged.digest)
    if first:
        return first
    try:
        with transaction.atomic():
            if connection.vendor == "postgresql":
                # One report of a project at a time: each of them rewrites statistics of the same cases.
                Project.objects.select_for_update(no_key=True).get(pk=project.pk)
            again = first_of(project, key, staged.digest)
            if again:
                return again
            place = place_of(project, options, staged.facts, now=now)
            row = waiting or Report(project=project, name=name[:300], received_at=now)
            return _write(staged, row, options, place, key=key, now=now)
    except IntegrityError:
        found = first_of(project, key, staged.digest)
        if found is None:
            raise
        return found


def refuse(
    project: Project, reason: str, *, name: str, sent_by: str, now: datetime, run: TestRun | None = None
) -> Report:
    """Keep one line about a report that was not taken."""
    return Report.objects.create(
        project=project,
        run=run,
        status=Report.Status.REFUSED,
        reason=reason[:2000],
        name=name[:300],
        sent_by=sent_by[:255],
        received_at=now,
    )


def _write(
    staged: Staged, report: Report, options: Options, place: Place, *, key: str, now: datetime
) -> Report:
    result_set = place.result_set
    ensure_month("executions", result_set.started_at)
    number = Report.objects.stored().filter(run=place.run).count()
    if number >= _MOST_REPORTS:
        raise Conflict(f"{place.run} has {number} reports already, which is the limit. Use another run.")
    _fill(report, staged, options, place, key=key)
    flags = (Flag.CI if result_set.space == "ci" else 0) | (Flag.MASS if staged.is_mass_failure else 0)
    if any(facts.duration_kind == "call" for facts in staged.facts):
        flags |= Flag.CALL_ONLY
    if not result_set.is_counted:
        flags |= Flag.LEFT_OUT
    slot = Slot(result_set, report, number, max(options.attempt, 1), int(flags), is_first=number == 0)
    tally = Tally()
    for position, chunk in enumerate(staged.chunks()):
        store_chunk(
            chunk,
            replace(slot, is_first=slot.is_first and not (position and _has_duplicates(staged))),
            is_derived=staged.is_derived,
            now=now,
            tally=tally,
        )
    grow(result_set, tally, attempts=staged.attempts)
    # A list of results has no facts of its own; what is no number of seconds is none here either.
    seconds = sum(facts.seconds for facts in staged.facts)
    report.duration = seconds if 0 < seconds < float("inf") else tally.duration_us / 1e6
    report.save(update_fields=["duration"])
    close_if_whole(place.run, result_set, staged, options, now=now)
    report.is_new = True
    return report


def _has_duplicates(staged: Staged) -> bool:
    return len(staged.facts) > 1 or any(facts.duplicates for facts in staged.facts)


def _fill(report: Report, staged: Staged, options: Options, place: Place, *, key: str) -> None:
    """Save the row of a report that is stored."""
    cases = staged.cases
    values: dict[str, Any] = {
        "run": place.run,
        "status": Report.Status.STORED,
        "key": key,
        "digest": staged.digest,
        "format": staged.format[:30],
        "sent_by": options.triggered_by[:255],
        "size": staged.size,
        "shard": options.shard[0] if options.shard else None,
        "shards": options.shard[1] if options.shard else None,
        "total": sum(cases.values()),
        "attempts": staged.attempts,
        "unplaced": staged.unplaced,
        "problems": staged.problems[:100],
        "upload": "",
        **{word: cases[word] for word in _COUNTS},
    }
    for name, value in values.items():
        setattr(report, name, value)
    report.save()


def key_of(options: Options) -> str:
    """What, beside its content, makes a report the same one."""
    shard = "/".join(map(str, options.shard)) if options.shard else ""
    if options.test_run_id:
        # Two shards that no test fell to say the same, and the run waits for both.
        parts = ["run", options.test_run_id, f"{options.attempt}", *filter(None, [shard])]
    else:
        place = options.environment or options.space or "ci"  # a desk and CI are two places
        parts = ["no run", options.branch, options.commit, place, shard]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def first_of(project: Project, key: str, digest: str) -> Report | None:
    found: Report | None = (
        Report.objects.stored().select_related("run").filter(project=project, key=key, digest=digest).first()
    )
    return found


@contextmanager
def seekable(file: BinaryIO, limits: Limits) -> Iterator[BinaryIO]:
    """Give the upload as a stream that can be read twice; one that can't is copied to a temporary file."""
    if getattr(file, "seekable", lambda: False)():
        yield file
        return
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as copy:
        size = 0
        while data := file.read(1 << 20):
            size += len(data)
            if size > limits.unpacked_bytes:
                raise UnreadableReport(
                    f"It is larger than {limits.unpacked_bytes:,} bytes, which is the limit."
                )
            copy.write(data)
        copy.seek(0)
        yield cast(BinaryIO, copy)
