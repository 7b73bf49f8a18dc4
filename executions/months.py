"""Results of single tests go month by month where a limit says so; what was counted of them stays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models.functions import TruncMonth

from executions.models import Result, ResultSet
from executions.recount import archive_month
from tracking.models import TestRun
from tracking.retention import needed

PIECE = 500  # runs of which it is asked at once what rests on them


@dataclass(frozen=True, slots=True)
class Month:
    """A month (UTC) of results that went, or would go: when it began, and how many there were.

    `kept_for` names a run because of which it stays.
    """

    begin: datetime
    results: int
    kept_for: str = ""

    def __str__(self) -> str:
        return f"{self.begin:%Y-%m}"


def drop_old_months(now: datetime, *, keep: int, dry_run: bool = False) -> Iterator[Month]:
    """Drop the results of runs that began more than `keep` whole months before the current one; 0 keeps all.

    Runs, their totals and all statistics stay.  A month stays whole while one of its runs is pinned or
    something rests on it.
    """
    if not keep:
        return
    limit = _shifted(now, -keep)
    old = ResultSet.objects.filter(started_at__lt=limit).order_by()
    months = old.annotate(month=TruncMonth("started_at", tzinfo=UTC)).values_list("month", flat=True)
    for begin in sorted(set(months.distinct())):
        end = _shifted(begin, 1)
        rows = Result.objects.filter(started_at__gte=begin, started_at__lt=end)
        if not rows.order_by().exists():
            continue  # it went before
        holder = _holder(begin, end)
        if holder or dry_run:
            yield Month(begin, rows.count(), holder)
        else:
            yield Month(begin, archive_month(begin, end))


def _shifted(at: datetime, months: int) -> datetime:
    """The beginning of the month so many months after that of `at`."""
    at = at.astimezone(UTC)
    years, month = divmod(at.year * 12 + at.month - 1 + months, 12)
    return datetime(years, month + 1, 1, tzinfo=UTC)


def _holder(begin: datetime, end: datetime) -> str:
    """A run of the month that has to keep its results; empty where there is none."""
    runs = TestRun.objects.filter(result_set__started_at__gte=begin, result_set__started_at__lt=end)
    pinned = runs.filter(pinned=True).values_list("test_run_id", flat=True).first()
    if pinned:
        return str(pinned)
    pks = list(runs.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(pks), PIECE):
        held = needed(pks[start : start + PIECE])
        if held:
            return str(TestRun.objects.filter(pk__in=held).values_list("test_run_id", flat=True)[0])
    return ""
