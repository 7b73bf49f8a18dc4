"""Find the cases that a report speaks of, or make them: one identity for a test, whoever reports it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
from django.db import connection

from executions import binary
from executions.columns import Numbers
from executions.models import TestCase
from executions.querysets import pieces
from executions.reports.base import CaseOutcome

Name = tuple[str, str]  # nodeid, suite


def identify(project_pk: int, outcomes: Sequence[CaseOutcome], *, is_derived: bool, now: datetime) -> Numbers:
    """Return the id of the case of each outcome, in their order.

    `is_derived` says that the names were rebuilt from a format without node ids: such a name fits a
    case that is known by the same JUnit key, and a real node id gives a derived case its name.
    The caller holds the project's lock, so that nobody else makes the same case meanwhile.
    """
    found = _known(project_pk, outcomes)
    unknown = np.flatnonzero(found == 0).tolist()
    if not unknown:
        return found
    missing: dict[Name, CaseOutcome] = {}
    for place in unknown:
        outcome = outcomes[place]
        missing.setdefault((outcome.nodeid, outcome.suite), outcome)
    made = _by_junit_key(project_pk, missing, is_derived=is_derived)
    new = [outcome for name, outcome in missing.items() if name not in made]
    made |= _made(project_pk, new, is_derived=is_derived, now=now)
    for place in unknown:
        found[place] = made[(outcomes[place].nodeid, outcomes[place].suite)]
    return found


def _known(project_pk: int, outcomes: Sequence[CaseOutcome]) -> Numbers:
    """The ids of the cases that have these very names; 0 where there is none."""
    found = np.zeros(len(outcomes), "i4")
    nodeids = [one.nodeid for one in outcomes]
    suites = [one.suite for one in outcomes] if any(one.suite for one in outcomes) else []
    ask = _on_postgres if connection.vendor == "postgresql" else _on_sqlite
    rows = ask(project_pk, nodeids, suites)
    if rows:
        places, ids = np.array(rows, "i8").T
        found[places] = ids
    return found


# CROSS JOIN, because SQLite then begins with what is given; by itself it reads all cases for each name.
_ASKED = (
    "SELECT {number}, coalesce(c.canonical_id, c.id)"  # noqa: S608 - filled in below
    f" FROM {{given}} CROSS JOIN {TestCase._meta.db_table} AS c"
    " WHERE c.nodeid = {nodeid} AND c.suite = {suite} AND c.project_id = %s"
)


def _on_postgres(project_pk: int, nodeids: list[str], suites: list[str]) -> list[tuple[Any, ...]]:
    columns = [nodeids, suites] if suites else [nodeids]
    given = f"unnest({', '.join(['%s'] * len(columns))}) WITH ORDINALITY AS given"
    words = {"given": f"{given}(nodeid, {'suite, ' if suites else ''}number)"}
    words |= {"number": "number - 1", "nodeid": "given.nodeid", "suite": "given.suite" if suites else "''"}
    return binary.rows_of(_ASKED.format(**words), [*map(binary.texts, columns), project_pk])


def _on_sqlite(project_pk: int, nodeids: list[str], suites: list[str]) -> list[tuple[Any, ...]]:
    words = {"given": "json_each(%s) AS given", "number": "given.key", "nodeid": "given.value", "suite": "''"}
    if suites:
        words |= {"nodeid": "json_extract(given.value, '$[0]')", "suite": "json_extract(given.value, '$[1]')"}
    names = list(zip(nodeids, suites, strict=True)) if suites else nodeids
    with connection.cursor() as cursor:
        cursor.execute(_ASKED.format(**words), [json.dumps(names), project_pk])
        return list(cursor.fetchall())


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
