"""What the first page of a project shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from access.models import Project
from dashboards.run_list import RunRow, rows_of
from tracking.history import Day, Waiting, days, usual_duration, waiting
from tracking.models import DayTiming, TestRun
from tracking.remaining import ENOUGH, seconds_left

SHOWN = 20  # runs that are going, or that ended badly; the rest is behind a link
SPAN = timedelta(hours=24)
USUAL_DAYS = 30
# No run takes longer, so one that ended in the span began in this time; it keeps the index useful.
LONGEST_RUN = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Going:
    """A running run, and about how many seconds it will still take (None: can't be said)."""

    row: RunRow
    elapsed: float
    left: float | None


@dataclass(frozen=True, slots=True)
class OverviewPage:
    """`running` and `bad` are counts of all; the lists hold the newest of them."""

    is_empty: bool
    running: int
    bad: int
    going: list[Going]
    ended_badly: list[TestRun]
    recent: Waiting
    usual: Waiting
    strip: list[Day]
    tallest: int


def load(project: Project, now: datetime) -> OverviewPage:
    """Return the first page of `project` in a fixed number of queries."""
    runs = TestRun.objects.in_project(project).newest_first().defer("plan", "metadata")
    running = list(runs.running().for_list()[:SHOWN])
    since = now - SPAN
    bad = runs.ended_badly().filter(started_at__gte=since - LONGEST_RUN, completed_at__gte=since)
    ended_badly = list(bad.for_list()[:SHOWN])
    today = now.astimezone(UTC).date()
    kept = _kept(project, today)
    yesterday = today - timedelta(days=1)
    before = [row for row in kept if row.day < yesterday]
    strip = days(kept, today - timedelta(days=USUAL_DAYS - 1), today)
    return OverviewPage(
        is_empty=not running and not ended_badly and not kept and not runs.exists(),
        running=runs.running().count(),
        bad=bad.count(),
        going=_going(rows_of(running), before, now),
        ended_badly=ended_badly,
        recent=waiting(row for row in kept if row.day >= yesterday),
        usual=waiting(before),
        strip=strip,
        tallest=max((day.runs for day in strip), default=0),
    )


def _kept(project: Project, today: date) -> list[DayTiming]:
    rows = DayTiming.objects.filter(project=project, day__gte=today - timedelta(days=USUAL_DAYS + 1))
    return list(rows.defer("execution_sketch", "total_sketch"))


def _going(rows: list[RunRow], before: list[DayTiming], now: datetime) -> list[Going]:
    usual: dict[tuple[object, int], float | None] = {}
    found = []
    for row in rows:
        kind = (row.run.definition_id, row.run.environment_id)
        if row.done < ENOUGH and kind not in usual:
            like = [day for day in before if (day.definition_id, day.environment_id) == kind]
            usual[kind] = usual_duration(like)
        elapsed = row.run.duration_so_far(now).total_seconds()
        left = seconds_left(done=row.done, workflows=row.workflows, elapsed=elapsed, usual=usual.get(kind))
        found.append(Going(row, elapsed, None if row.run.cancel_requested_at else left))
    return found
