"""Two runs, test by test: slower and faster are no guess from one sample."""

import io
from datetime import UTC, datetime, timedelta

import pytest

from executions.comparison import compare_results
from executions.ingest import ingest_report
from executions.models import CaseStatistics
from tests.factories import make_project
from tracking.models import TestRun

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)


def send(content, *, now=NOW, **told):
    return ingest_report(io.BytesIO(content), project=make_project(), now=now, **told)


def duration(seconds):
    return f"<testsuite><testcase classname='m' name='a' time='{seconds}'/></testsuite>".encode()


def test_slower_takes_ratio_and_difference_and_enough_runs():
    def verdict(usual, base, head, runs):
        TestRun.objects.all().delete()
        CaseStatistics.objects.all().delete()
        for number in range(runs):
            send(duration(usual), commit=f"{number:040}", now=NOW - timedelta(days=30 - number))
        before = send(duration(base), commit="b" * 40, now=NOW).run
        after = send(duration(head), commit="c" * 40, now=NOW + timedelta(hours=1)).run
        found = compare_results(before, after)
        return "slower" if found.slower else "faster" if found.faster else "same"

    assert verdict(usual=1.0, base=1.0, head=2.0, runs=6) == "slower"
    assert verdict(usual=1.0, base=1.0, head=0.4, runs=6) == "faster"
    assert verdict(usual=1.0, base=1.0, head=1.4, runs=6) == "same", "less than half more"
    assert verdict(usual=0.01, base=0.01, head=0.05, runs=6) == "same", "40 ms are noise"
    assert verdict(usual=1.0, base=1.0, head=2.0, runs=2) == "same", "too few runs to know what is usual"
    assert verdict(usual=2.0, base=1.0, head=2.0, runs=6) == "same", "the base was the odd one"
