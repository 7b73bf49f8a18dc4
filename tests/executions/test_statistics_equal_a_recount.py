"""Whatever comes in whatever order, twice, late or in pieces: the statistics are those of a recount."""

import io
import random

import pytest
from django.db import connection

from executions.ingest import ingest_report
from executions.models import CaseArchive, CaseStatistics, Result
from executions.recount import archive_month, recount
from tests.executions.storm import DROPPED, NOW, incoming, report
from tests.factories import make_project

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("seed", range(4))
def test_random_reports_in_random_order_half_of_them_repeated_while_a_month_is_dropped(seed):
    project = make_project("shop")

    for number, (content, told) in enumerate(incoming(seed, 40)):
        ingest_report(io.BytesIO(content), project=project, now=NOW, **told)
        if number == 45:
            before = total_of(CaseStatistics)
            archive_month(*DROPPED)
            assert total_of(CaseStatistics) == before

    assert CaseArchive.objects.exists()
    assert list(recount(project, repair=False)) == []
    assert not duplicates()


def test_a_count_that_is_wrong_is_named_and_put_right():
    project = make_project("shop")
    content, told = report(random.Random(1))
    ingest_report(io.BytesIO(content), project=project, now=NOW, **told)
    row = CaseStatistics.objects.order_by("pk").first()
    CaseStatistics.objects.filter(pk=row.pk).update(passed=row.passed + 3, recent="")

    found = list(recount(project))

    assert [(one.case, one.name) for one in found] == [(row.case_id, "passed"), (row.case_id, "recent")]
    assert list(recount(project)) == []


def test_postgresql_is_written_by_copy(django_assert_num_queries, monkeypatch):
    if connection.vendor != "postgresql":
        monkeypatch.setattr("executions.bulk.connection", connection)
    statements = []
    with connection.execute_wrapper(lambda run, sql, *rest: (statements.append(sql), run(sql, *rest))[1]):
        content, told = report(random.Random(2))
        ingest_report(io.BytesIO(content), project=make_project("shop"), now=NOW, **told)

    inserted = [sql for sql in statements if sql.startswith('INSERT INTO "executions"')]
    assert Result.objects.exists()
    assert bool(inserted) == (connection.vendor == "sqlite")


def total_of(model):
    names = ("passed", "failed", "error", "skipped", "timed", "duration_us")
    return sorted(model.objects.values_list("case_id", "space", *names))


def duplicates():
    """Cases of which more than one row of a run decides."""
    seen, twice = set(), []
    for case, set_pk in Result.objects.deciding().values_list("case_id", "set_id"):
        if (case, set_pk) in seen:
            twice.append((case, set_pk))
        seen.add((case, set_pk))
    return twice
