"""What a person took out of the statistics leaves those of its tests too, and comes back with it.

The run's row is the event: whoever looks next finds the results that are not yet counted as it says, and
settles them (`settle`).  Results that were archived by month stay counted; their rows are no more.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection, transaction
from django.db.models import F

from access.models import Project
from executions.models import Result, ResultSet, SameCode
from executions.models.results import Flag
from executions.querysets import pieces
from executions.recount import put_right
from executions.same_code import count_again


def settle_exclusions() -> Iterator[ResultSet]:
    """Settle every run whose tests are not counted as the run says; yield each that was."""
    for pk in ResultSet.objects.unsettled():
        if found := settle(pk):
            yield found


def settle(set_pk: int) -> ResultSet | None:
    """Count the results of a run, or count them no more, as its `excluded_at` says; None where they are so.

    In one transaction, under the lock that reports of the project take; safe to repeat.
    """
    with transaction.atomic():
        if connection.vendor == "postgresql":
            mine = ResultSet.objects.filter(pk=set_pk).values("project_id")
            list(Project.objects.select_for_update(no_key=True).filter(pk__in=mine))
        result_set = ResultSet.objects.select_related("run").filter(pk=set_pk).first()
        # Whoever was faster has settled it, or deleted its run.
        if result_set is None or result_set.is_counted == (result_set.run.excluded_at is None):
            return None
        is_counted = not result_set.is_counted
        rows = Result.objects.of_set(result_set)
        bits = F("flags").bitand(~int(Flag.LEFT_OUT)) if is_counted else F("flags").bitor(int(Flag.LEFT_OUT))
        rows.update(flags=bits)
        result_set.is_counted = is_counted
        result_set.save(update_fields=["is_counted"])
        cases = list(rows.order_by().values_list("case_id", flat=True).distinct())
        count_again(result_set, _evidence(result_set, cases))
        put_right(cases, result_set.space)
    return result_set


def _evidence(result_set: ResultSet, cases: list[int]) -> set[int]:
    """The cases that failed in a run, or whose failures on the same code are remembered."""
    failed = Result.objects.of_set(result_set).failed().order_by()
    found = set(failed.values_list("case_id", flat=True))
    code = result_set.code or f"run-{result_set.pk}"
    for piece in pieces(cases):
        known = SameCode.objects.filter(case_id__in=piece, code=code, space=result_set.space)
        found |= set(known.order_by().values_list("case_id", flat=True))
    return found
