"""The Universal Scalability Law and the bend of latency: what is there is found, and no knee else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.knees import find_knee
from analysis.omission import back_fill, share_omitted
from analysis.queueing import MM1
from analysis.scalability import fit_scalability

LOADS = np.array([1, 2, 4, 8, 12, 16, 24, 32, 48, 64.0])


def law(rate, contention, coherency, loads=LOADS):
    return rate * loads / (1 + contention * (loads - 1) + coherency * loads * (loads - 1))


@settings(max_examples=20, deadline=None)
@given(st.floats(1, 1e4), st.floats(0.001, 0.3), st.floats(1e-4, 0.01))
def test_without_noise_the_parameters_come_back(rate, contention, coherency):
    found = fit_scalability(LOADS, law(rate, contention, coherency))

    assert found.rate[0] == pytest.approx(rate, rel=1e-6)
    assert found.contention[0] == pytest.approx(contention, rel=1e-4)
    assert found.coherency[0] == pytest.approx(coherency, rel=1e-4)
    assert found.fit == pytest.approx(1)
    assert found.throughput_at(16) == pytest.approx(law(rate, contention, coherency)[5])
    peak = np.sqrt((1 - contention) / coherency)
    assert found.peak_load[0] == pytest.approx(peak, rel=1e-3) if peak <= 128 else not found.has_knee


def test_intervals_cover_the_truth_and_the_peak():
    chance = np.random.default_rng(1)
    found = [
        fit_scalability(LOADS, law(100, 0.03, 0.001) * np.exp(0.03 * chance.normal(size=10)), seed=place)
        for place in range(25)
    ]

    for name, truth in [("contention", 0.03), ("coherency", 0.001), ("peak_load", np.sqrt(0.97 / 0.001))]:
        covered = [getattr(one, name)[1] <= truth <= getattr(one, name)[2] for one in found]
        assert np.mean(covered) >= 0.84
    assert all("peaks at" in one.said for one in found)


@pytest.mark.parametrize("contention", [0.0, 0.05])
def test_no_knee_is_seen_where_there_is_none(contention):
    chance = np.random.default_rng(2)
    found = [
        fit_scalability(LOADS, law(100, contention, 0) * np.exp(0.03 * chance.normal(size=10)), seed=place)
        for place in range(25)
    ]

    assert sum(one.has_knee for one in found) <= 3  # 2.5 % each
    assert any(one.said == "no knee up to 64" for one in found)
    if contention:
        assert np.median([one.ceiling for one in found if one.ceiling]) == pytest.approx(2000, rel=0.15)


def test_few_loads_prove_no_law_and_nonsense_is_refused():
    assert fit_scalability([1, 2, 4, 4], [1, 2, 3, 3]) is None
    with pytest.raises(ValueError, match="belong together"):
        fit_scalability([1, 2], [1])
    with pytest.raises(ValueError, match="above zero"):
        fit_scalability([1, 2], [1, 0])


STEPS = np.arange(10, 101, 10.0)


def test_latency_bends_where_it_begins_to_climb():
    chance = np.random.default_rng(3)
    level = np.where(STEPS > 60, 0.02 * (1 + (STEPS - 60) / 8), 0.02)

    found = [find_knee(STEPS, level * np.exp(0.1 * chance.normal(size=10))) for _ in range(100)]

    assert sum(one is not None for one in found) >= 95
    assert np.mean([one.low == 60 and one.high == 70 for one in found if one]) >= 0.9
    assert np.median([one.before for one in found if one]) == pytest.approx(0.02, rel=0.1)


def test_a_queue_that_fills_has_a_knee():
    latencies = [MM1(load, 0.009).response_quantile(0.95) for load in STEPS]

    found = find_knee(STEPS, latencies)

    assert 50 <= found.low <= 90
    assert found.after == pytest.approx(latencies[-1])


@pytest.mark.parametrize("noise", [0.03, 0.3])
def test_flat_latency_has_no_knee(noise):
    chance = np.random.default_rng(4)

    found = [find_knee(STEPS, 20 * np.exp(noise * chance.normal(size=10))) for _ in range(300)]

    assert sum(one is not None for one in found) <= 6


def test_repeated_loads_count_by_their_median_and_few_have_no_knee():
    loads, latencies = np.repeat(STEPS, 3), np.repeat(np.where(STEPS > 50, 9.0, 1.0), 3)
    latencies[1::3] *= 100  # one wild run of each step

    assert find_knee(loads, latencies).low == 50
    assert find_knee([1, 2, 3, 4], [1, 1, 1, 9]) is None
    with pytest.raises(ValueError, match="belong together"):
        find_knee([1], [1, 2])
    with pytest.raises(ValueError, match="above zero"):
        find_knee([1], [0])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1000), max_size=30), st.floats(0.5, 100))
def test_back_filling_is_what_a_loop_over_each_latency_does(latencies, interval):
    expected = list(latencies)
    for latency in latencies:
        missing = latency - interval
        while missing >= interval * (1 - 1e-9):
            expected.append(missing)
            missing -= interval

    found = back_fill(latencies, interval)

    assert len(found) == pytest.approx(
        len(expected), abs=sum(1 for one in latencies if one > interval) * 1e-3
    )
    assert np.sort(found) == pytest.approx(np.sort(expected), abs=1e-6)
    assert 0 <= share_omitted(latencies, interval) < 1


def test_a_standstill_weighs_what_its_users_waited():
    # 99 answers in 1 ms, then the server stands still for a second; users come every 10 ms.
    latencies = [0.001] * 99 + [1.0]

    corrected = back_fill(latencies, 0.01)

    assert np.quantile(latencies, 0.9) == 0.001
    assert np.quantile(corrected, 0.9) == pytest.approx(0.8, abs=0.02)
    assert share_omitted(latencies, 0.01) == pytest.approx(99 / 199)


@pytest.mark.parametrize(("latencies", "interval"), [([1.0], 0), ([-1.0], 1), ([1e9], 1e-6)])
def test_what_can_not_be_corrected_is_refused(latencies, interval):
    with pytest.raises(ValueError, match=r"above zero|negative|too short"):
        back_fill(latencies, interval)
