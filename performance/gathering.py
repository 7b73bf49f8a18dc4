"""Read how the machines felt during a run and keep it with the run: tracked runs and loads alike.

Every step can be repeated: a series that is read again replaces what was kept of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from analysis import columns
from performance.models import Gathering, MetricQuery, MetricSeries
from performance.sources.base import (
    MetricSource,
    Query,
    Series,
    SourceRefused,
    SourceUnavailable,
    step_for,
)
from performance.sources.host_samples import read_samples, series_of
from tracking.models import TestRun, WorkflowJob

HOST = "host"
MARGIN = timedelta(seconds=15)  # before and after a run, for what is kept only now and then
LATENESS = timedelta(seconds=45)  # until Prometheus has what happened a moment ago
SETTLED = timedelta(minutes=5)  # until CloudWatch has it too: read once more then
OLDEST = timedelta(days=2)  # runs that began before are left alone
PAUSES = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=4))

Connect = Callable[[str], MetricSource]


@dataclass(frozen=True)
class Asked:
    """One question and the name of the source that it goes to."""

    source: str
    query: Query


def gather_series(run: TestRun, *, connect: Connect, queries: Iterable[Asked], now: datetime) -> Gathering:
    """Read all series of a run that has ended and keep them; what did not answer is asked again later.

    Args:
        connect: gives the source of a name, as `performance.sources.connect`.
        queries: as `queries_of(run)` tells.
    """
    assert run.completed_at is not None  # noqa: S101 - the callers look for runs that have ended
    state, _ = Gathering.objects.get_or_create(run=run, defaults={"until": run.completed_at})
    silent: dict[str, str] = {}
    for asked in queries:
        if asked.source in silent:  # it would be waited for again and again
            _keep_problem(run, asked, silent[asked.source])
            continue
        try:
            _keep(run, asked.source, read(run, asked, connect=connect))
        except SourceUnavailable as problem:
            silent[asked.source] = str(problem)
            _keep_problem(run, asked, str(problem))
        except SourceRefused as problem:
            _keep_problem(run, asked, str(problem))
        except KeyError:
            _keep_problem(run, asked, f"There is no source {asked.source!r} here.")
    if state.until != run.completed_at:
        state.tries = 0
    state.until, state.problem = run.completed_at, " ".join(silent.values())
    state.again_at = _again_at(state.tries, bool(silent), run.completed_at, now)
    state.tries += 1
    state.save()
    return state


def read(run: TestRun, asked: Asked, *, connect: Connect) -> Series:
    """Return one series over the span of a run."""
    assert run.completed_at is not None  # noqa: S101
    start, end = run.started_at - MARGIN, run.completed_at + MARGIN
    return connect(asked.source).read(asked.query, start, end, step_for(start, end))


def queries_of(run: TestRun, *, host: str, host_queries: Sequence[Query]) -> list[Asked]:
    """Return what is asked for a run: what its project set, and this machine's own record if it ran here.

    Args:
        host: name of this machine, as runners know it.
        host_queries: what this machine's own record can be asked.
    """
    rows = MetricQuery.objects.filter(Q(environment=None) | Q(environment=run.environment_id))
    asked = [
        Asked(row.source, Query(row.name, row.query, row.unit, row.saturated_at))
        for row in rows.filter(project=run.project_id, enabled=True)
    ]
    if WorkflowJob.objects.filter(attempt__workflow__run=run, runner_name=host).exists():
        asked += [Asked(HOST, query) for query in host_queries]
    return asked


def ungathered(now: datetime, *, host: str) -> QuerySet[TestRun]:
    """Runs that ended a moment ago or more, have something to be asked, and were not looked at yet."""
    wanted = MetricQuery.objects.filter(project=OuterRef("project"), enabled=True).filter(
        Q(environment=None) | Q(environment=OuterRef("environment"))
    )
    here = WorkflowJob.objects.filter(attempt__workflow__run=OuterRef("pk"), runner_name=host)
    late = Q(gathering__until__lt=F("completed_at"))  # a later attempt opened it again
    return (
        TestRun.objects.ended()
        .filter(started_at__gte=now - OLDEST, completed_at__lte=now - LATENESS)
        .filter(Q(gathering=None) | late | Q(gathering__again_at__lte=now))
        .filter(Exists(wanted) | Exists(here))
        .order_by("started_at")
    )


def keep_host_series(run: TestRun, path: Path) -> int:
    """Keep what the sampler of a load wrote; return the number of series, none where there is no file."""
    samples = read_samples(path)
    found = series_of(samples) if len(samples) else []
    with transaction.atomic():
        MetricSeries.objects.filter(run=run, source=HOST).delete()
        MetricSeries.objects.bulk_create(_row(run, HOST, series) for series in found)
    return len(found)


def _again_at(tries: int, is_silent: bool, ended: datetime, now: datetime) -> datetime | None:
    if is_silent:
        return now + PAUSES[tries] if tries < len(PAUSES) else None
    # Values may come late; so all is read once more when the slowest source has them.
    return ended + SETTLED if now < ended + SETTLED else None


def _keep(run: TestRun, source: str, series: Series) -> None:
    row = _row(run, source, series)
    wanted = ("unit", "saturated_at", "n", "times", "values", "problem")
    MetricSeries.objects.update_or_create(
        run=run, source=source, name=series.name, defaults={name: getattr(row, name) for name in wanted}
    )


def _keep_problem(run: TestRun, asked: Asked, problem: str) -> None:
    """Note why there is nothing, unless something was read before."""
    empty = columns.pack([])
    defaults = {"unit": asked.query.unit, "times": empty, "values": empty, "problem": problem[:255]}
    row, is_new = MetricSeries.objects.get_or_create(
        run=run, source=asked.source, name=asked.query.name, defaults=defaults
    )
    if not is_new and not row.n:
        MetricSeries.objects.filter(pk=row.pk).update(problem=problem[:255])


def _row(run: TestRun, source: str, series: Series) -> MetricSeries:
    # At the edges a source has nothing as a rule; a gap in between stays one.
    known = np.flatnonzero(np.isfinite(series.values))
    span = slice(known[0], known[-1] + 1) if len(known) else slice(0, 0)
    return MetricSeries(
        run=run,
        source=source,
        name=series.name[:120],
        unit=series.unit[:20],
        saturated_at=series.saturated_at,
        n=len(known),
        times=columns.pack(series.times[span] - run.started_at.timestamp()),
        values=columns.pack(series.values[span]),
        problem="" if len(known) else "It has no values of that time.",
    )
