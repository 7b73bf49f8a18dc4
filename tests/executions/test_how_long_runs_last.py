"""When a run that a report made began, and how long it went on."""

from datetime import timedelta

import pytest

from tests.executions.test_reports_come_in import NOW, send

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("attributes", "began", "took"),
    [
        ("timestamp='2026-03-17T12:00:00' time='90'", NOW - timedelta(days=3), 90),
        ("timestamp='2026-03-17T12:00:00'", NOW - timedelta(days=3), 0.5),
        ("timestamp='0001-01-01T00:00:00'", NOW, 0),
        ("timestamp='1970-01-01T00:00:00Z'", NOW, 0),
        ("", NOW, 0),
    ],
)
def test_a_run_lasts_as_long_as_its_tests_however_late_its_report_comes(attributes, began, took):
    run = send(f"<testsuite {attributes}><testcase name='a' time='0.5'/></testsuite>".encode()).run

    assert (run.started_at, run.duration) == (began, timedelta(seconds=took))


def test_a_run_whose_tests_took_no_time_does_not_last_until_its_report_came():
    run = send(b"<testsuite timestamp='2026-03-17T12:00:00'><testcase name='a'/></testsuite>").run

    assert run.duration == timedelta(0)
