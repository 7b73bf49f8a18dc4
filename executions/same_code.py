"""A test that passes and fails on the very same code is flaky; remember the failures, look for the passes.

What is kept of a case and a code is what its rows of the last `_SETS` runs of that code say, in whichever
order they came: in how many runs a try failed, and in how many it was well in the end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from executions.bulk import upsert_rows
from executions.models import CaseStatistics, Result, ResultSet, SameCode
from executions.models.results import Flag
from executions.querysets import ResultSetQuerySet, pieces

_BAD, _WELL = (1, 2), (0, 5)
_SETS = 1000  # runs of one code that are looked into
_COLUMNS = ("case_id", "code", "space", "failures", "passes", "last_at")


@dataclass(frozen=True, slots=True)
class Evidence:
    """How a case went in one run: whether any of its tries failed, and whether it passed in the end."""

    case: int
    failed: bool
    passed: bool
    is_again: bool  # the run had a result of it before


def codes_failures(result_set: ResultSet) -> dict[int, SameCode]:
    """What is kept of cases that failed on the code of a run, by case; nothing where its code is unknown."""
    if not result_set.code:
        return {}
    rows = SameCode.objects.filter(code=result_set.code, space=result_set.space)
    return {row.case_id: row for row in rows}


def keep_evidence(
    result_set: ResultSet, found: Sequence[Evidence], known: Mapping[int, SameCode], *, is_mass: bool
) -> None:
    """Count failures of a code, and the passes beside them; a mass failure accuses nobody.

    Args:
        found: the cases that failed, or did so on the same code before.
        known: see `codes_failures`.
    """
    anew = {one.case for one in found if one.is_again}
    if not is_mass:
        # Without a code only its own run compares: what just failed there is no evidence.
        new = [one for one in found if one.failed and one.case not in known]
        anew |= {one.case for one in new if result_set.code or one.passed}
    changed = []
    proven = set()
    for one in found:
        row = known.get(one.case)
        if row is None or one.case in anew or is_mass or not (one.failed or one.passed):
            continue
        if one.passed and not row.passes:
            proven.add(one.case)
        row.failures += one.failed
        row.passes += one.passed
        row.last_at = max(row.last_at, result_set.started_at)
        changed.append([getattr(row, name) for name in _COLUMNS])
    upsert_rows(SameCode, _COLUMNS, ("case_id", "code", "space"), changed)
    if anew:
        count_again(result_set, anew)
    count_proofs(proven | anew, result_set.space)


def count_again(result_set: ResultSet, cases: Collection[int]) -> None:
    """Count some cases of the code of a run by their rows."""
    code, space = result_set.code or f"run-{result_set.pk}", result_set.space
    sets = (
        list(_sets(result_set).values_list("pk", flat=True)[:_SETS]) if result_set.code else [result_set.pk]
    )
    for piece in pieces(cases, 500):
        counted = _counted(piece, sets)
        kept = {case: found for case, found in counted.items() if found[0] and (found[1] or result_set.code)}
        upsert_rows(
            SameCode,
            _COLUMNS,
            ("case_id", "code", "space"),
            [(case, code, space, *found) for case, found in kept.items()],
        )
        gone = [case for case in piece if case not in kept]
        SameCode.objects.filter(case_id__in=gone, code=code, space=space).delete()


def _counted(cases: list[int], sets: list[int]) -> dict[int, tuple[int, int, datetime]]:
    """Per case: runs in which it failed, runs in which it passed, the start of the last of them."""
    tries: defaultdict[tuple[int, int], list[tuple[int, int, datetime]]] = defaultdict(list)
    rows = Result.objects.filter(case_id__in=cases, set_id__in=sets).order_by()
    columns = ("case_id", "set_id", "outcome", "flags", "started_at")
    for case, set_pk, *told in rows.values_list(*columns):
        tries[(case, set_pk)].append(tuple(told))
    found: dict[int, tuple[int, int, datetime]] = {}
    for (case, _), mine in tries.items():
        if any(flags & (Flag.MASS | Flag.LEFT_OUT) for _, flags, _ in mine):
            continue
        failed = any(outcome in _BAD for outcome, *_ in mine)
        passed = any(outcome in _WELL and flags & Flag.DECIDES for outcome, flags, _ in mine)
        if failed or passed:
            failures, passes, last = found.get(case, (0, 0, mine[0][2]))
            found[case] = (failures + failed, passes + passed, max(last, mine[0][2]))
    return found


def count_proofs(cases: Collection[int], space: str) -> None:
    """Keep beside the statistics of some cases on how many codes they both passed and failed."""
    for piece in pieces(cases, 500):
        found = {case: (codes, runs) for case, codes, runs in proofs_of(piece, space)}
        rows = list(CaseStatistics.objects.filter(case_id__in=piece, space=space).only("pk", "case_id"))
        for row in rows:
            row.same_code, row.retries = found.get(row.case_id, (0, 0))
        CaseStatistics.objects.bulk_update(rows, ["same_code", "retries"], batch_size=300)


def proofs_of(cases: Iterable[int], space: str) -> Iterator[tuple[int, int, int]]:
    """Yield case, codes on which it both passed and failed, and those of them that are one run."""
    for piece in pieces(cases):
        rows = SameCode.objects.filter(case_id__in=piece, space=space, passes__gt=0, failures__gt=0)
        runs = Count("pk", filter=Q(code__startswith="run-"))
        yield from rows.order_by().values_list("case_id").annotate(codes=Count("pk"), runs=runs)


def _sets(result_set: ResultSet) -> ResultSetQuerySet:
    return ResultSet.objects.filter(
        project=result_set.project_id, code=result_set.code, space=result_set.space
    )
