from datetime import timedelta

import pytest

from tests.factories import NINE, make_ended_run
from tracking.history import days, usual_duration, waiting
from tracking.models import DayTiming

pytestmark = pytest.mark.django_db


def test_waiting_merges_the_days_and_never_averages_percentiles():
    make_ended_run(queue=10, workflows=9)
    make_ended_run(queue=100, workflows=1, started_at=NINE - timedelta(days=1))

    found = waiting(DayTiming.objects.all())

    assert found.n == 10
    assert found.p50 == pytest.approx(10, rel=0.02)
    assert found.share == pytest.approx(190 / (190 + 300))


def test_nothing_waited_where_nothing_ran():
    assert waiting([]).p50 is None
    assert waiting([]).share is None


def test_every_day_is_there_and_days_without_runs_have_no_rate():
    make_ended_run("passed", duration=100)
    make_ended_run("passed", duration=300)
    make_ended_run("failed", duration=200)
    make_ended_run("cancelled")
    today = NINE.date()

    yesterday, found = days(DayTiming.objects.all(), today - timedelta(days=1), today, durations=True)

    assert (yesterday.runs, yesterday.rate, yesterday.low, yesterday.p50) == (0, None, None, None)
    assert (found.runs, found.decided, found.passed, found.timed) == (4, 3, 2, 3)
    assert found.rate == pytest.approx(2 / 3)
    assert found.low < found.rate < found.high
    assert found.p50 == pytest.approx(200, rel=0.02)


def test_the_usual_duration_is_the_median_of_finished_runs():
    for seconds in (100, 110, 400):
        make_ended_run(duration=seconds)

    assert usual_duration(DayTiming.objects.all()) == pytest.approx(110, rel=0.02)
