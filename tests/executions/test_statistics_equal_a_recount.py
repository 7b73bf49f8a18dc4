"""Whatever comes in whatever order, twice, late or in pieces: the statistics are those of a recount."""

import io
import random
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from executions.ingest import ingest_report
from executions.models import CaseArchive, CaseStatistics, Result
from executions.recount import archive_month, recount
from tests.factories import make_project

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
OUTCOMES = ["", "", "", "<failure message='no'/>", "<error message='boom'/>", "<skipped/>"]


def report(chance: random.Random) -> tuple[bytes, dict]:
    cases = []
    for number in chance.sample(range(30), chance.randint(1, 25)):
        body = chance.choice(OUTCOMES)
        cases.append(
            f'<testcase classname="m" name="t{number}" time="{chance.random():.4f}">{body}</testcase>'
        )
        if chance.random() < 0.1:
            cases.append(cases[-1].replace(body, chance.choice(OUTCOMES)) if body else cases[-1])
    at = NOW - timedelta(days=chance.randint(0, 75), seconds=chance.randint(0, 90000))
    text = f'<testsuite timestamp="{at:%Y-%m-%dT%H:%M:%S}">{"".join(cases)}</testsuite>'
    told = {
        "space": chance.choice(["local", "ci"]),
        "commit": chance.choice(["", "a" * 40, "b" * 40]),
        "test_run_id": chance.choice([None, None, f"ci-{chance.randint(1, 9)}-1"]),
    }
    return text.encode(), told


@pytest.mark.parametrize("seed", range(4))
def test_random_reports_in_random_order_half_of_them_repeated_while_a_month_is_dropped(seed):
    chance = random.Random(seed)
    project = make_project("shop")
    reports = [report(chance) for _ in range(40)]
    incoming = reports + chance.sample(reports, 20)
    chance.shuffle(incoming)

    for number, (content, told) in enumerate(incoming):
        ingest_report(io.BytesIO(content), project=project, now=NOW, **told)
        if number == 45:
            before = total_of(CaseStatistics)
            archive_month(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
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
