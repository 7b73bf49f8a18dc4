"""Questions about many cases, reports and results."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import F, Max, Q, Sum
from django.db.models.expressions import RawSQL

DECIDES, LEFT_OUT = 1, 128  # executions.models.results.Flag, which rests on this module
COUNTS = ("passed", "failed", "error", "skipped", "xfailed", "xpassed")


def pieces(keys: Iterable[Any], size: int = 900) -> Iterator[list[Any]]:
    """Cut keys into lists that fit into one statement of SQLite."""
    rest = list(keys)
    for begin in range(0, len(rest), size):
        yield rest[begin : begin + size]


class TestCaseQuerySet(models.QuerySet[Any]):
    def in_project(self, project: Any) -> Self:
        return self.filter(project=project, canonical=None)

    def search(self, text: str) -> Self:
        """Cases whose name has every word of `text` somewhere, in capitals or not."""
        found = self
        for word in text.split():
            found = found.filter(Q(nodeid__icontains=word) | Q(suite__icontains=word))
        return found


class ReportQuerySet(models.QuerySet[Any]):
    def stored(self) -> Self:
        return self.filter(status="stored")

    def queued(self) -> Self:
        return self.filter(status="queued").order_by("id")


class ResultSetQuerySet(models.QuerySet[Any]):
    def between(self, project: Any, since: datetime, until: datetime) -> Self:
        return self.filter(project=project, started_at__gte=since, started_at__lt=until)

    def unsettled(self) -> list[int]:
        """Keys of what is counted although its run is left out, or the other way round; oldest first."""
        wrong = self.filter(is_counted=True, run__excluded_at__isnull=False)
        missing = self.filter(is_counted=False, run__excluded_at=None)
        return sorted({*wrong.values_list("pk", flat=True), *missing.values_list("pk", flat=True)})


class ResultQuerySet(models.QuerySet[Any]):
    def deciding(self) -> Self:
        """The one row of each case in each run that counts."""
        return self.annotate(decides_bit=F("flags").bitand(DECIDES)).filter(decides_bit=DECIDES)

    def counted(self) -> Self:
        """Of those the ones whose run nobody took out of the statistics."""
        bits = self.annotate(counted_bits=F("flags").bitand(DECIDES | LEFT_OUT))
        return bits.filter(counted_bits=DECIDES)

    def of_set(self, result_set: Any) -> Self:
        """The rows of one run; its start tells PostgreSQL which month to look into."""
        return self.filter(set_id=result_set.pk, started_at=result_set.started_at)

    def failed(self) -> Self:
        return self.filter(outcome__in=[1, 2])


def _as_written(condition: str) -> RawSQL:
    """The condition of a partial index in its own words: for others, SQLite does not use it."""
    return RawSQL(  # noqa: S611 - the words are ours
        f'"executions_casestatistics"."standing" {condition}', (), output_field=models.BooleanField()
    )


class CaseStatisticsQuerySet(models.QuerySet[Any]):
    def in_project(self, project: Any) -> Self:
        return self.filter(project=project)

    def in_space(self, space: str) -> Self:
        return self.filter(space=space) if space else self

    def of_cases(self, cases: Collection[int], space: str) -> dict[int, Any]:
        """The rows of some cases in one space, by case."""
        found: dict[int, Any] = {}
        for piece in pieces(cases):
            found |= {row.case_id: row for row in self.filter(case_id__in=piece, space=space)}
        return found

    def unstable(self) -> Self:
        """Cases that have both passed and failed, by the index of those."""
        return self.filter(_as_written("IN (1, 2)"))

    def failing(self) -> Self:
        """Cases whose last judged run failed."""
        return self.ever_failed().filter(standing__in=[2, 3])

    def ever_failed(self) -> Self:
        return self.filter(_as_written("> 0"))

    def totals(self) -> dict[str, Any]:
        """Sums over all rows: counts, durations, the last run and the last failure."""
        sums: dict[str, Any] = {name: Sum(name, default=0) for name in (*COUNTS, "timed", "duration_us")}
        last = {"last_run_at": Max("last_run_at"), "last_failure_at": Max("last_failure_at")}
        return self.aggregate(**sums, **last)
