"""Intended times follow the rate that was asked for, and the same seed gives the same times."""

import numpy as np
import pytest

from performance.arrivals import in_chunks, planned_duration, request_numbers, stages
from performance.specification import read_spec
from tests.performance.intended import intended_times


def spec_of(arrival, **more):
    return read_spec({"requests": [{"path": "/"}], "arrival": arrival, "duration": 10, **more})


def test_even_arrivals_keep_their_distance():
    times = intended_times(spec_of({"kind": "constant", "rate": 20}), seed=1)

    assert len(times) == 200
    assert np.allclose(np.diff(times), 0.05)


def test_a_ramp_grows_evenly():
    times = intended_times(spec_of({"kind": "ramp", "rate": 0, "to_rate": 100}), seed=1)

    assert len(times) == 500
    counts = np.histogram(times, np.arange(11))[0]
    assert np.abs(counts - np.arange(5, 100, 10)).max() <= 1


def test_steps_follow_each_other():
    spec = spec_of({"kind": "steps", "rates": [10, 50, 20], "step_duration": 2}, duration=None)

    counts = np.histogram(intended_times(spec, seed=1), [0, 2, 4, 6])[0]

    assert spec.duration == 6
    assert list(counts) == [20, 100, 40]


def test_spikes_come_after_some_quiet():
    arrival = {"kind": "spikes", "rate": 10, "spike_rate": 100, "spike_every": 5, "spike_duration": 1}

    counts = np.histogram(intended_times(spec_of(arrival), seed=1), np.arange(11))[0]

    assert list(counts) == [10, 10, 10, 10, 100, 10, 10, 10, 10, 100]


def test_the_warm_up_comes_before_at_the_first_rate_and_counts_in_nothing():
    spec = spec_of({"kind": "constant", "rate": 10}, warmup=3, max_requests=40, duration=None)

    times = intended_times(spec, seed=1)

    assert planned_duration(spec) == 4.0
    assert (times < 3).sum() == 30
    assert (times >= 3).sum() == 40
    assert [stage.is_warmup for stage in stages(spec)] == [True, False]


def test_poisson_arrivals_have_exponential_gaps_and_end_by_number():
    arrival = {"kind": "constant", "rate": 100, "spacing": "poisson"}
    gaps = np.diff(intended_times(spec_of(arrival, duration=100), seed=1))
    by_number = intended_times(spec_of(arrival, max_requests=5000, duration=None), seed=1)

    assert gaps.mean() == pytest.approx(0.01, rel=0.05)
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.05)
    assert abs(np.corrcoef(gaps[1:], gaps[:-1])[0, 1]) < 0.03
    assert len(by_number) == 5000


@pytest.mark.parametrize("spacing", ["even", "poisson"])
def test_pieces_of_any_size_make_the_same_times(spacing):
    spec = spec_of({"kind": "ramp", "rate": 10, "to_rate": 90, "spacing": spacing}, warmup=1)

    whole = intended_times(spec, seed=5)

    assert np.allclose(np.concatenate(list(in_chunks(spec, 5, size=7))), whole)
    assert (np.diff(whole) >= 0).all()
    assert np.array_equal(intended_times(spec, seed=5), whole)


def test_seeds_tell_poisson_loads_apart():
    spec = spec_of({"kind": "constant", "rate": 10, "spacing": "poisson"})

    assert not np.array_equal(intended_times(spec, seed=1), intended_times(spec, seed=2))


def test_a_closed_loop_has_no_intended_times():
    spec = read_spec({"requests": [{"path": "/"}], "users": 3, "duration": 5})

    assert stages(spec) == []
    assert len(intended_times(spec, seed=1)) == 0


def test_requests_are_drawn_by_their_weight():
    spec = read_spec(
        {"requests": [{"name": "a", "weight": 1}, {"name": "b", "weight": 3}], "users": 1, "duration": 1}
    )

    drawn = next(request_numbers(spec, seed=1))

    assert np.bincount(drawn)[1] / len(drawn) == pytest.approx(0.75, abs=0.02)
