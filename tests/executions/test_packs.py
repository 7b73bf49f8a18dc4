"""Packed results of runs are what their rows say, or are not used."""

import io
from datetime import UTC, datetime

import pytest

from executions.ingest import ingest_report
from executions.models import Result, ResultPack
from executions.packs import decided_of
from executions.recount import archive_month
from tests.executions.storm import incoming
from tests.factories import make_project
from tracking.models import TestRun

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)


def packed(run):
    decided = decided_of(run.result_set)
    took = [None if one != one else one for one in decided.duration.tolist()]
    return dict(zip(decided.case.tolist(), zip(decided.outcome.tolist(), took, strict=True), strict=True))


def rows_say(run):
    rows = Result.objects.filter(set__run=run).deciding().order_by()
    return {case: (code, took) for case, code, took in rows.values_list("case_id", "outcome", "duration")}


def test_packs_of_random_reports_late_ones_and_repeated_ones_among_them_say_what_the_rows_say():
    project = make_project("shop")
    for content, told in incoming(3, 30):
        ingest_report(io.BytesIO(content), project=project, now=NOW, **told)

    runs = list(TestRun.objects.all())
    assert {run.pk: packed(run) for run in runs} == {run.pk: rows_say(run) for run in runs}
    assert ResultPack.objects.count() > 10


def test_a_packed_run_is_compared_without_reading_its_rows():
    content = b'<testsuite><testcase classname="m" name="a" time="0.123456789"/></testsuite>'
    run = ingest_report(io.BytesIO(content), project=make_project("shop"), now=NOW).run
    said = rows_say(run)
    Result.objects.all()._raw_delete("default")

    assert packed(run) == said


def test_a_dropped_month_takes_its_packs_along():
    project = make_project("shop")
    content = b'<testsuite><testcase classname="m" name="a" time="%d"/></testsuite>'
    old, new = (
        ingest_report(io.BytesIO(content % seconds), project=project, now=now).run
        for seconds, now in enumerate([datetime(2026, 1, 31, 23, tzinfo=UTC), NOW])
    )
    assert all(packed(run) == rows_say(run) != {} for run in (old, new))

    archive_month(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))

    assert (packed(old), packed(new)) == ({}, rows_say(new))
    assert ResultPack.objects.get().set.run == new
