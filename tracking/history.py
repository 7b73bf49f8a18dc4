"""What the kept figures of past days say: how long it queued, what passed, how long runs took."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from analysis.proportions import wilson_interval
from analysis.sketches import quantiles_of
from tracking.models import DayTiming


@dataclass(frozen=True, slots=True)
class Waiting:
    """How long workflows queued: over n of them the median in seconds, and the share of all time (0 to 1)."""

    n: int
    p50: float | None
    share: float | None


@dataclass(frozen=True, slots=True)
class Day:
    """The finished runs of one day (UTC); `rate` with its 95 % interval, durations in seconds."""

    day: date
    passed: int = 0
    failed: int = 0
    error: int = 0
    cancelled: int = 0
    queue: float = 0.0
    total: float = 0.0
    rate: float | None = None
    low: float | None = None
    high: float | None = None
    p50: float | None = None
    p95: float | None = None
    timed: int = 0

    @property
    def runs(self) -> int:
        return self.passed + self.failed + self.error + self.cancelled

    @property
    def decided(self) -> int:
        """Runs that say something: a cancelled one neither passed nor failed."""
        return self.passed + self.failed + self.error


def waiting(rows: Iterable[DayTiming]) -> Waiting:
    """Return how long the workflows of `rows` queued."""
    rows = list(rows)
    n, (p50,) = quantiles_of((bytes(row.queue_sketch) for row in rows), 0.5)
    total = sum(row.total_sum for row in rows)
    return Waiting(
        n=n,
        p50=p50,
        share=sum(row.queue_sum for row in rows) / total if total > 0 else None,
    )


def days(rows: Iterable[DayTiming], first: date, last: date, *, durations: bool = False) -> list[Day]:
    """Return one `Day` for each day from `first` to `last`, also for those without runs.

    With `durations` the runs' wall times are read too, which costs a merge of sketches per day.
    """
    by_day: dict[date, list[DayTiming]] = defaultdict(list)
    for row in rows:
        by_day[row.day].append(row)
    count = (last - first).days + 1
    return [_day(first + timedelta(days=step), by_day, durations) for step in range(count)]


def usual_duration(rows: Iterable[DayTiming]) -> float | None:
    """Return the median wall time in seconds of the passed and failed runs of `rows`."""
    return quantiles_of((bytes(row.duration_sketch) for row in rows), 0.5)[1][0]


def _day(day: date, by_day: dict[date, list[DayTiming]], durations: bool) -> Day:
    rows = by_day.get(day, [])
    counts = {
        word: sum(getattr(row, word) for row in rows) for word in ("passed", "failed", "error", "cancelled")
    }
    decided = counts["passed"] + counts["failed"] + counts["error"]
    bounds = wilson_interval(counts["passed"], decided)
    figures: dict[str, Any] = {}
    if durations and rows:
        timed, (p50, p95) = quantiles_of((bytes(row.duration_sketch) for row in rows), 0.5, 0.95)
        figures = {"p50": p50, "p95": p95, "timed": timed}
    return Day(
        day=day,
        queue=sum(row.queue_sum for row in rows),
        total=sum(row.total_sum for row in rows),
        rate=counts["passed"] / decided if decided else None,
        low=bounds[0] if bounds else None,
        high=bounds[1] if bounds else None,
        **counts,
        **figures,
    )
