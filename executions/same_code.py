"""A test that passes and fails on the very same code is flaky; remember the failures, look for the passes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, Q

from executions.models import CaseStatistics, Result, ResultSet, SameCode
from executions.models.results import Flag
from executions.querysets import ResultSetQuerySet, pieces

_BAD, _WELL = (1, 2), (0, 5)
_SETS = 200  # runs of one code that are looked into for an earlier pass


@dataclass(frozen=True, slots=True)
class Evidence:
    """How a case went in one run: whether any of its tries failed, and whether it passed in the end."""

    case: int
    failed: bool
    passed: bool
    is_again: bool


def codes_failures(result_set: ResultSet) -> dict[int, SameCode]:
    """What is kept of cases that failed on the code of a run, by case; nothing where its code is unknown."""
    if not result_set.code:
        return {}
    rows = SameCode.objects.filter(code=result_set.code, space=result_set.space)
    return {row.case_id: row for row in rows}


def keep_evidence(result_set: ResultSet, found: Sequence[Evidence], known: Mapping[int, SameCode]) -> None:
    """Count failures of a code, and the passes beside them.

    Args:
        known: see `codes_failures`.
    """
    code = result_set.code or f"run-{result_set.pk}"
    again = {one.case for one in found if one.is_again and (one.failed or one.case in known)}
    new = [one for one in found if one.failed and one.case not in known and one.case not in again]
    if not result_set.code:
        new = [one for one in new if one.passed]  # without a code, only its own run compares
    earlier = _passes_before(result_set, [one.case for one in new])
    made = [
        SameCode(
            case_id=one.case,
            code=code,
            space=result_set.space,
            failures=1,
            passes=one.passed + earlier.get(one.case, 0),
            last_at=result_set.started_at,
        )
        for one in new
    ]
    SameCode.objects.bulk_create(made, batch_size=500)
    proven = {row.case_id for row in made if row.passes}
    changed = []
    for one in found:
        row = known.get(one.case)
        if row is None or one.case in again or not (one.failed or one.passed):
            continue
        if one.passed and not row.passes:
            proven.add(one.case)
        row.failures += one.failed
        row.passes += one.passed
        row.last_at = max(row.last_at, result_set.started_at)
        changed.append(row)
    SameCode.objects.bulk_update(changed, ["failures", "passes", "last_at"], batch_size=300)
    if again:
        count_again(result_set, again)
    count_proofs(proven | again, result_set.space)


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


def _passes_before(result_set: ResultSet, cases: Collection[int]) -> dict[int, int]:
    """How often the cases passed on the same code in runs that were stored before."""
    if not cases or not result_set.code:
        return {}
    found: defaultdict[int, int] = defaultdict(int)
    sets = list(_sets(result_set).exclude(pk=result_set.pk).values_list("pk", flat=True)[:_SETS])
    for piece in pieces(cases, 500):
        rows = Result.objects.deciding().filter(case_id__in=piece, set_id__in=sets, outcome__in=_WELL)
        for case in rows.order_by().values_list("case_id", flat=True):
            found[case] += 1
    return found


def count_again(result_set: ResultSet, cases: Collection[int]) -> None:
    """Count some cases of a code anew, after what decides in one of its runs has changed."""
    code = result_set.code or f"run-{result_set.pk}"
    sets = (
        list(_sets(result_set).values_list("pk", flat=True)[:_SETS]) if result_set.code else [result_set.pk]
    )
    for piece in pieces(cases, 500):
        tries: defaultdict[int, defaultdict[int, list[tuple[int, int]]]]
        tries = defaultdict(lambda: defaultdict(list))
        rows = Result.objects.filter(case_id__in=piece, set_id__in=sets).order_by()
        for case, set_pk, outcome, flags in rows.values_list("case_id", "set_id", "outcome", "flags"):
            tries[case][set_pk].append((outcome, flags))
        for case in piece:
            mine = [told for told in tries[case].values() if not any(flags & Flag.MASS for _, flags in told)]
            failures = sum(any(outcome in _BAD for outcome, _ in told) for told in mine)
            passes = sum(
                any(outcome in _WELL and flags & Flag.DECIDES for outcome, flags in told) for told in mine
            )
            if failures:
                SameCode.objects.update_or_create(
                    case_id=case,
                    code=code,
                    space=result_set.space,
                    defaults={"failures": failures, "passes": passes, "last_at": result_set.started_at},
                )
            else:
                SameCode.objects.filter(case_id=case, code=code, space=result_set.space).delete()


def _sets(result_set: ResultSet) -> ResultSetQuerySet:
    return ResultSet.objects.filter(
        project=result_set.project_id, code=result_set.code, space=result_set.space
    )
