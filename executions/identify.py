"""Find the cases that a report speaks of, or make them: one identity for a test, whoever reports it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from executions.bulk import rows_of_any
from executions.models import TestCase
from executions.querysets import pieces
from executions.reports.base import CaseOutcome

Name = tuple[str, str]  # nodeid, suite


def identify(
    project_pk: int, outcomes: Sequence[CaseOutcome], *, is_derived: bool, now: datetime
) -> list[int]:
    """Return the id of the case of each outcome, in their order.

    `is_derived` says that the names were rebuilt from a format without node ids: such a name fits a
    case that is known by the same JUnit key, and a real node id gives a derived case its name.
    The caller holds the project's lock, so that nobody else makes the same case meanwhile.
    """
    wanted: dict[Name, CaseOutcome] = {}
    for outcome in outcomes:
        wanted.setdefault((outcome.nodeid, outcome.suite), outcome)
    found = _known(project_pk, wanted)
    missing = {name: outcome for name, outcome in wanted.items() if name not in found}
    if missing:
        found |= _by_junit_key(project_pk, missing, is_derived=is_derived)
        found |= _made(
            project_pk,
            [outcome for name, outcome in missing.items() if name not in found],
            is_derived=is_derived,
            now=now,
        )
    return [found[(outcome.nodeid, outcome.suite)] for outcome in outcomes]


def _known(project_pk: int, wanted: dict[Name, CaseOutcome]) -> dict[Name, int]:
    found: dict[Name, int] = {}
    names = {nodeid for nodeid, _ in wanted}
    columns = ("id", "canonical_id", "nodeid", "suite")
    for pk, canonical, nodeid, suite in rows_of_any(
        TestCase, columns, "nodeid", names, project_id=project_pk
    ):
        if (nodeid, suite) in wanted:
            found[(nodeid, suite)] = canonical or pk
    return found


def _by_junit_key(project_pk: int, missing: dict[Name, CaseOutcome], *, is_derived: bool) -> dict[Name, int]:
    """Where exactly one case has the JUnit key, it is the one; a real node id renames it."""
    rows = TestCase.objects.filter(project=project_pk, canonical=None).order_by()
    if not is_derived:
        rows = rows.filter(is_derived=True)
    holders: defaultdict[Name, list[int]] = defaultdict(list)
    keys = {outcome.junit_key for outcome in missing.values() if outcome.junit_key}
    for piece in pieces(keys, _size()):
        for pk, key, suite in rows.filter(junit_key__in=piece).values_list("id", "junit_key", "suite"):
            holders[(key, suite)].append(pk)
    found: dict[Name, int] = {}
    taken: set[int] = set()
    for (nodeid, suite), outcome in missing.items():
        fitting = holders.get((outcome.junit_key, suite), []) if outcome.junit_key else []
        if len(fitting) != 1 or fitting[0] in taken:
            continue
        (pk,) = fitting
        taken.add(pk)
        found[(nodeid, suite)] = pk
        if not is_derived:
            TestCase.objects.filter(pk=pk).update(nodeid=nodeid, is_derived=False)
    return found


def _made(
    project_pk: int, outcomes: list[CaseOutcome], *, is_derived: bool, now: datetime
) -> dict[Name, int]:
    made = TestCase.objects.bulk_create(
        [
            TestCase(
                project_id=project_pk,
                suite=outcome.suite,
                nodeid=outcome.nodeid,
                junit_key=outcome.junit_key,
                is_derived=is_derived,
                file=outcome.file,
                first_seen_at=now,
            )
            for outcome in outcomes
        ],
        batch_size=5000 if connection.vendor == "postgresql" else None,
    )
    return {(case.nodeid, case.suite): case.pk for case in made}


def _size() -> int:
    return 20_000 if connection.vendor == "postgresql" else 900
