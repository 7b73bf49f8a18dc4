"""Count everything again from archive and rows, and say where the kept statistics differ: nowhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Max, Q

from access.models import Project
from executions.bulk import upsert_rows
from executions.counting import COUNTED, COUNTS_BY_OUTCOME, in_space, last_runs, microseconds_of
from executions.models import CaseArchive, CaseStatistics, Result, ResultPack, ResultSet, ResultText, TestCase
from executions.partitions import drop_month
from executions.querysets import COUNTS, pieces
from executions.recent import flips_of, standing_of, window_of
from executions.same_code import proofs_of
from tracking.models import Space, TestRun

_PIECE = 500


@dataclass(frozen=True, slots=True)
class Difference:
    """A number that was kept and is not what counting again gives."""

    case: int
    space: str
    name: str
    kept: Any
    counted: Any

    def __str__(self) -> str:
        return f"case {self.case} in {self.space}: {self.name} was {self.kept!r}, is {self.counted!r}"


def recount(project: Project | None = None, *, repair: bool = True) -> Iterator[Difference]:
    """Yield every difference between the kept statistics and a count of all rows; put them right.

    Piece by piece, each in a transaction of its own, so it may be interrupted and repeated.
    """
    cases = TestCase.objects.order_by("pk")
    if project is not None:
        cases = cases.filter(project=project)
    after = 0
    while piece := list(cases.filter(pk__gt=after).values_list("pk", "project_id")[:_PIECE]):
        after = piece[-1][0]
        with transaction.atomic():
            if connection.vendor == "postgresql":
                projects = {project_pk for _, project_pk in piece}
                list(Project.objects.select_for_update(no_key=True).filter(pk__in=projects).order_by("pk"))
            for space in Space.values:
                yield from _piece([pk for pk, _ in piece], space, repair=repair)


def _piece(cases: list[int], space: str, *, repair: bool) -> Iterator[Difference]:
    kept = CaseStatistics.objects.of_cases(cases, space)
    counted = counted_rows(cases, space)
    projects = dict(TestCase.objects.filter(pk__in=cases).order_by().values_list("pk", "project_id"))
    wrong = []
    for case in sorted({*kept, *counted}):
        old = kept.get(case) or CaseStatistics(case_id=case, space=space, project_id=projects[case])
        new = counted.get(case) or CaseStatistics(case_id=case, space=space)
        new.project_id = projects[case]
        found = list(_differences(old, new))
        yield from found
        if found:
            wrong.append([getattr(new, name) for name in COUNTED])
    if repair:
        upsert_rows(CaseStatistics, COUNTED, ("case_id", "space"), wrong)
        never = [case for case in kept if case not in counted]
        CaseStatistics.objects.filter(case_id__in=never, space=space).delete()


def _differences(kept: CaseStatistics, counted: CaseStatistics) -> Iterator[Difference]:
    for name in COUNTED:
        was, is_now = getattr(kept, name), getattr(counted, name)
        if name == "durations":
            was, is_now = bytes(was), bytes(is_now)
        if was != is_now:
            yield Difference(kept.case_id, kept.space, name, was, is_now)


def counted_rows(cases: list[int], space: str) -> dict[int, CaseStatistics]:
    """Return the statistics of some cases as archive and rows give them."""
    found: dict[int, CaseStatistics] = {}
    for old in CaseArchive.objects.filter(case_id__in=cases, space=space):
        row = found.setdefault(old.case_id, CaseStatistics(case_id=old.case_id, space=space))
        for name in (*COUNTS, "timed", "duration_us", "last_run_at", "last_failure_at"):
            setattr(row, name, getattr(old, name))
    _add_rows(found, Result.objects.filter(case_id__in=cases), space)
    runs = last_runs(list(found), space)
    for case, row in found.items():
        mine = runs.get(case, [])
        window = window_of(run[:3] for run in mine)
        row.recent, row.durations, row.changed_at = window.recent, window.durations, window.changed_at
        row.flips = flips_of(window.recent)
        row.last_set = mine[-1][3] if mine else 0
        row.standing = standing_of(row.bad, row.passed + row.xpassed, row.recent)
    for case, same_code, retries in proofs_of(found, space):
        found[case].same_code, found[case].retries = same_code, retries
    return found


def _add_rows(found: dict[int, Any], rows: Any, space: str, kind: type[Any] = CaseStatistics) -> None:
    """Add what the deciding rows say to the counts."""
    deciding = in_space(rows.deciding(), space).order_by()
    columns = ("case_id", "outcome", "duration")
    sums: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0])
    for case, _, duration in deciding.exclude(duration=None).values_list(*columns).iterator(chunk_size=5000):
        sums[case][0] += 1
        sums[case][1] += microseconds_of(duration)
    groups = deciding.values("case_id").annotate(
        **{f"n{code}": Count("case_id", filter=Q(outcome=code)) for code in COUNTS_BY_OUTCOME},
        last=Max("started_at"),
        last_bad=Max("started_at", filter=Q(outcome__in=[1, 2])),
    )
    for group in groups:
        row = found.setdefault(group["case_id"], kind(case_id=group["case_id"], space=space))
        for code, name in COUNTS_BY_OUTCOME.items():
            setattr(row, name, getattr(row, name) + group[f"n{code}"])
        row.last_run_at = _later(row.last_run_at, group["last"])
        row.last_failure_at = _later(row.last_failure_at, group["last_bad"])
    for case, (timed, duration_us) in sums.items():
        found[case].timed += timed
        found[case].duration_us += duration_us


def archive_month(begin: datetime, end: datetime) -> int:
    """Add a month's results to the archive of their cases and drop its rows; return how many rows went.

    The counts stay what they were; the last runs of a case may become fewer.
    """
    with transaction.atomic():
        if connection.vendor == "postgresql":
            list(Project.objects.select_for_update(no_key=True).order_by("pk"))
        rows = Result.objects.filter(started_at__gte=begin, started_at__lt=end)
        total = rows.count()
        touched = _to_archive(rows)
        drop_month("executions", begin, end)
        month = {"set__started_at__gte": begin, "set__started_at__lt": end}
        ResultPack.objects.filter(**month).delete()
        ResultText.objects.filter(**month).delete()
        _put_right(touched)
    return total


def forget_runs(runs: list[TestRun]) -> None:
    """Add the results of runs to the archive of their cases and delete them; the counts stay."""
    sets = [result_set.pk for result_set in ResultSet.objects.filter(run__in=runs)]
    with transaction.atomic():
        if connection.vendor == "postgresql":
            projects = {run.project_id for run in runs}
            list(Project.objects.select_for_update(no_key=True).filter(pk__in=projects).order_by("pk"))
        rows = Result.objects.filter(set_id__in=sets)
        touched = _to_archive(rows)
        rows.order_by()._raw_delete(rows.db)  # nothing hangs on a result row
        ResultSet.objects.filter(pk__in=sets).delete()
        _put_right(touched)


def _to_archive(rows: Any) -> dict[str, set[int]]:
    touched: dict[str, set[int]] = {}
    for space in Space.values:
        found: dict[int, CaseArchive] = {}
        _add_rows(found, rows, space, CaseArchive)
        touched[space] = set(found)
        for piece in pieces(found):
            _merge_archive({case: found[case] for case in piece}, space)
    return touched


def _put_right(touched: dict[str, set[int]]) -> None:
    """The last runs of a case may have become fewer."""
    for space, cases in touched.items():
        put_right(cases, space)


def put_right(cases: Collection[int], space: str) -> None:
    """Count some cases again; a test that no counted run is left of has no statistics."""
    for piece in pieces(cases, _PIECE):
        list(_piece(piece, space, repair=True))


def _merge_archive(month: dict[int, CaseArchive], space: str) -> None:
    for old in CaseArchive.objects.filter(case_id__in=list(month), space=space):
        row = month[old.case_id]
        for name in (*COUNTS, "timed", "duration_us"):
            setattr(row, name, getattr(row, name) + getattr(old, name))
        row.last_run_at = _later(row.last_run_at, old.last_run_at)
        row.last_failure_at = _later(row.last_failure_at, old.last_failure_at)
    names = ("case_id", "space", *COUNTS, "timed", "duration_us", "last_run_at", "last_failure_at")
    values = [[getattr(row, name) for name in names] for row in month.values()]
    upsert_rows(CaseArchive, names, ("case_id", "space"), values)


def _later(first: datetime | None, second: datetime | None) -> datetime | None:
    return max((at for at in (first, second) if at), default=None)
