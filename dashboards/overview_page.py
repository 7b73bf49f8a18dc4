"""What the first page of a project shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from access.models import Project
from dashboards.run_list import RunRow, rows_of
from tracking.history import Day, Waiting, days, usual_duration, waiting
from tracking.models import DayTiming, TestRun
from tracking.remaining import seconds_left

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
        running=len(running) if len(running) < SHOWN else runs.running().count(),
        bad=len(ended_badly) if len(ended_badly) < SHOWN else bad.count(),
        going=[_going(row, before, now) for row in rows_of(running)],
        ended_badly=ended_badly,
        recent=waiting(row for row in kept if row.day >= yesterday),
        usual=waiting(before),
        strip=strip,
        tallest=max((day.runs for day in strip), default=0),
    )


def _kept(project: Project, today: date) -> list[DayTiming]:
    rows = DayTiming.objects.filter(project=project, day__gte=today - timedelta(days=USUAL_DAYS + 1))
    return list(rows.defer("execution_sketch", "total_sketch"))


def _going(row: RunRow, before: list[DayTiming], now: datetime) -> Going:
    run = row.run
    elapsed = run.duration_so_far(now).total_seconds()
    like = [
        day
        for day in before
        if (day.definition_id, day.environment_id) == (run.definition_id, run.environment_id)
    ]
    usual = usual_duration(like)
    left = seconds_left(done=row.done, workflows=row.workflows, elapsed=elapsed, usual=usual)
    return Going(row, elapsed, None if run.cancel_requested_at else left)
