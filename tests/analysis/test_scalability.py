"""The Universal Scalability Law: what is there is found, and no knee else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
