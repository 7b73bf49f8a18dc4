"""All optimizations of a workload together."""

import pytest

from performance.total_effect import total_effect
from tests.performance.measured import a_workload
from tests.performance.test_optimization import optimize, some

pytestmark = pytest.mark.django_db


@pytest.fixture
def workload():
    return a_workload()


def test_all_optimizations_together_are_the_product(workload):
    for number, (before, after) in enumerate([(0.4, 0.2), (0.2, 0.16)]):
        slow = some(workload, before, begin=20 * number, seed=number)
        fast = some(workload, after, begin=20 * number + 10, seed=9 + number)
        optimize(workload, slow, fast, name=f"step {number}")

    total = total_effect(workload)

    assert total.counted == ["step 0", "step 1"]
    assert total.low < 0.4 < total.high
    assert total.overlapping == []
    assert total.sentence.startswith("2 optimizations together: latency.p95 0.")


def test_those_made_at_the_same_time_are_named(workload):
    before, between, after = some(workload, 0.4), some(workload, 0.3, begin=10), some(workload, 0.2, begin=20)
    optimize(workload, before, after, name="both")
    optimize(workload, between, some(workload, 0.2, begin=30, seed=3), name="second")

    total = total_effect(workload)

    assert total.overlapping == [("both", "second")]
    assert "counts twice: both and second" in total.sentence


def test_without_any_there_is_no_effect(workload):
    assert total_effect(workload).sentence == "No optimization has been measured yet."
