"""Users who wait for their answers hide a stall; what they would have met is estimated, and said."""

import pytest

from performance.figures import corrected_latency
from performance.models import Metric
from performance.run_text import summary
from tests.factories import make_user
from tests.performance.factories import SPEC, make_samples, make_workload, make_workload_run

USERS = {"requests": SPEC["requests"], "users": 2, "think_time": 0.09, "duration": 10}
STALLED = [0.01] * 990 + [5.0] * 10


def test_a_stall_weighs_as_much_as_the_requests_that_would_have_met_it():
    samples = make_samples(STALLED)

    found = corrected_latency(samples, think=0.09)

    assert found.n == 1000 + 10 * 49  # every tenth of a second but the first
    assert found.p50 == pytest.approx(0.01)
    assert found.p90 == pytest.approx(5 - 0.1 * 15, abs=0.2)
    assert found.intervals == {}


def test_a_kind_of_request_that_is_slow_by_nature_hides_nothing():
    samples = make_samples([0.01, 2.0] * 100, names=["cart", "export"], requests=[0, 1] * 100)

    assert corrected_latency(samples, think=0).n == 200


def test_a_long_stall_after_quick_answers_costs_no_memory():
    found = corrected_latency(make_samples([0.00001] * 900 + [60.0] * 100), think=0)

    assert found.n == pytest.approx(100 * 6_000_000, rel=0.01)
    assert found.p50 == pytest.approx(30, rel=0.05)


def test_without_any_time_there_is_nothing_to_correct():
    assert corrected_latency(make_samples([]), think=1.0) is None
    assert corrected_latency(make_samples([0.0] * 10), think=0.0) is None


@pytest.mark.django_db
def test_a_run_of_users_tells_both_and_one_by_timetable_needs_only_one(client):
    closed = make_workload_run(make_workload(spec=USERS), latencies=STALLED, keep=False)
    opened = make_workload_run(make_workload("open"), latencies=STALLED, keep=False)

    assert Metric.objects.get(name="latency_corrected").run == closed
    assert any(line.startswith("Estimated with the requests") for line in summary(closed))
    assert not any(line.startswith("Estimated") for line in summary(opened))

    client.force_login(make_user(role="viewer"))
    pages = [client.get(f"/performance/runs/{run}/").content.decode() for run in (closed, opened)]
    assert ["all, corrected (estimate)" in page for page in pages] == [True, False]
