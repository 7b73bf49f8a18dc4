import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from performance import measured as module
from performance.measured import measured_of
from tests.performance.factories import make_samples
from tests.performance.rules.made_up import measured

STEPS = {"arrival": {"kind": "steps", "rates": [10, 20], "step_duration": 1}, "duration": 2, "warmup": 1}


def samples(n=30, **options):
    """Requests at 0.1, 0.2 … s that end in another order, each with 1 ms of database per number."""
    chance = np.random.default_rng(4).permutation(n)
    intended = (chance + 1) / 10
    options = {"components": {"database": chance / 1000, "total": chance / 500}, "warmup": 1, **options}
    return make_samples(chance / 250 + 0.001, intended=intended, **options)


def test_samples_come_in_the_order_of_their_intended_times_without_the_warm_up():
    run = measured_of(samples(), spec=STEPS)

    np.testing.assert_allclose(run.intended, np.arange(10, 31) / 10)
    np.testing.assert_allclose(run.parts["database"], np.arange(9, 30) / 1000, rtol=1e-6)
    np.testing.assert_allclose(run.latency, np.arange(9, 30) / 250 + 0.001, rtol=1e-6)
    assert run.spans == ((1, 2), (2, 3))
    assert [len(level.rows) for level in run.levels] == [10, 10]
    assert not run.is_closed


def test_answers_that_failed_or_never_came_are_told_apart():
    run = measured_of(samples(statuses=[0] + [500] * 29, failed=[False] + [True] * 29, warmup=0), spec=STEPS)

    assert run.error.all()
    assert run.unanswered.sum() == 1


def test_a_closed_loop_without_a_length_is_one_level():
    run = measured_of(samples(), spec={"users": 3})

    assert run.is_closed
    assert run.spans == ((0, 3),)


def test_of_very_many_samples_a_random_part_tells_the_same(monkeypatch):
    spec = {"arrival": {"kind": "constant"}, "duration": 299, "warmup": 1}
    whole = measured_of(samples(3000), spec=spec)
    monkeypatch.setattr(module, "MOST_SAMPLES", 1000)

    part = measured_of(samples(3000), spec=spec)

    assert (part.n, part.each) == (1000, pytest.approx(2.991, abs=0.001))
    assert np.all(np.diff(part.intended) > 0)
    for figure in ("offered", "completed", "in_flight"):
        told, known = (getattr(run, figure)(run.levels[0]) for run in (part, whole))
        assert told == pytest.approx(known, rel=0.15), figure


def test_what_the_target_did_in_no_named_part_is_the_rest():
    run = measured(add={"untold": 0.03})

    assert np.median(run.components["rest of the target"]) == pytest.approx(0.03, rel=0.1)
    assert np.median(run.server) == pytest.approx(np.median(run.parts["total"]))


def test_without_a_total_the_parts_are_all_that_the_target_did():
    run = measured()
    run = type(run)(**{**run.__dict__, "parts": {"database": run.parts["database"]}})

    assert set(run.components) == {"database"}
    np.testing.assert_allclose(run.server, run.parts["database"])


def test_a_target_that_tells_too_little_tells_nothing():
    run = measured()
    few = np.where(np.arange(run.n) % 3 == 0, run.parts["total"], 0)

    assert type(run)(**{**run.__dict__, "parts": {"total": few}}).server is None


@given(rate=st.integers(5, 200), seconds=st.floats(0.5, 20), took=st.floats(0.001, 2))
def test_requests_at_once_are_rate_times_time(rate, seconds, took):
    """Little's law, for a steady load; at its edges some are missing."""
    n = int(rate * seconds)
    run = measured_of(
        make_samples(np.full(n, took), rate=rate), spec={"arrival": {"kind": "constant"}, "duration": seconds}
    )

    at_once = run.in_flight(run.top)

    assert at_once <= rate * took + 1e-6
    assert at_once >= rate * took * max(1 - took / seconds, 0) * 0.5 - 1
