"""What a database reads for a report and for pages grows with the report, never with what is stored."""

import io
import re
from datetime import UTC, datetime

import pytest
from django.db import connection

from dashboards import case_pages
from executions import binary
from executions.flakiness import broken, fixed, rank_flaky
from executions.ingest import ingest_report
from executions.models import CaseStatistics
from tests.factories import make_project
from tracking.models import TestRun

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
LARGE = ("executions_casestatistics", "executions_testcase", "executions")
SHORT = re.compile("SCAN [sc]")  # how statements of ours call them, without an index


def report(count, body="", number=0):
    case = '<testcase classname="m" name="t{}" time="0.1">{}</testcase>'
    cases = "".join(case.format(name, body if name < 30 else "") for name in range(count))
    return f'<testsuite id="{number}">{cases}</testsuite>'.encode()


def send(project, *content):
    return ingest_report(io.BytesIO(report(*content)), project=project, now=NOW)


@pytest.fixture
def steps(monkeypatch):
    """Lines of the plans that the database makes meanwhile."""
    found = []
    if connection.vendor == "postgresql":  # it reads small tables wholly, unless it is told that this is dear
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")

    def explained(run, sql, parameters, *rest):
        if sql.lstrip().upper().startswith(("SELECT", "UPDATE")):
            with connection.cursor() as cursor:
                explain = "EXPLAIN " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN "
                cursor.cursor.execute(explain + sql, parameters)
                found.extend(f"{row[-1]}" for row in cursor.cursor.fetchall())
        return run(sql, parameters, *rest)

    def in_binary(ask):
        def asked(sql, parameters):
            found.extend(row[0] for row in rows_of("EXPLAIN " + sql, parameters))
            return ask(sql, parameters)

        return asked

    rows_of = binary.rows_of
    monkeypatch.setattr(binary, "rows_of", in_binary(binary.rows_of))
    monkeypatch.setattr(binary, "changed", in_binary(binary.changed))
    with connection.execute_wrapper(explained):
        yield found


def scans(steps):
    """The steps that read one of the large tables from its beginning to its end."""
    whole = [f"Seq Scan on {table} " for table in LARGE] + [f"SCAN {table} " for table in LARGE]
    return [
        line for line in steps if any(scan in f"{line} " for scan in whole) or SHORT.fullmatch(line.strip())
    ]


@pytest.fixture
def stocked():
    """A project with many more tests than a report of it names, of which few ever failed."""
    project = make_project("shop")
    send(project, 3000)
    send(project, 3000, "", 1)
    for number, body in enumerate(["<failure/>", "", "<failure/>"], 2):
        send(project, 100, body, number)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    return project


def test_a_small_report_reads_only_its_own_tests(stocked, steps):
    send(stocked, 20, "", 9)

    assert len(steps) > 20
    assert scans(steps) == []
    assert CaseStatistics.objects.filter(passed=4).count() == 20


def test_flaky_and_broken_tests_and_spaces_are_found_by_the_index_of_what_failed(stocked, steps):
    assert len(rank_flaky(stocked)) == 30
    assert [len(broken(stocked)), len(fixed(stocked))] == [30, 0]
    assert case_pages._apart_by(stocked, "ci", "local", 100) == []

    assert len(steps) >= 4
    assert scans(steps) == []


def test_a_run_shows_what_failed_without_reading_what_passed_elsewhere(stocked, steps):
    shown = case_pages.results_of(TestRun.objects.filter(result_set__failed=30).first())

    assert [row.outcome for row, *_ in shown.rows] == [1] * 30 + [0] * 70
    assert scans(steps) == []
