"""What a generator that waits for its answers could not measure is put back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.omission import back_fill, missed


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1000), st.floats(0.5, 100)), max_size=30))
def test_back_filling_is_what_a_loop_over_each_latency_does(pairs):
    latencies, intervals = np.array(pairs, dtype=float).reshape(-1, 2).T
    expected = latencies.tolist()
    for latency, interval in pairs:
        missing = latency - interval
        while missing >= interval * (1 - 1e-9):
            expected.append(missing)
            missing -= interval

    found = back_fill(latencies, intervals)

    assert len(found) == len(latencies) + missed(latencies, intervals).sum()
    assert len(found) == pytest.approx(len(expected), abs=len(latencies) * 1e-3)
    assert np.sort(found) == pytest.approx(np.sort(expected), abs=1e-6)


def test_a_standstill_weighs_what_its_users_waited():
    # 99 answers in 1 ms, then the server stands still for a second; users come every 10 ms.
    latencies = np.array([0.001] * 99 + [1.0])

    corrected = back_fill(latencies, np.full(100, 0.01))

    assert np.quantile(latencies, 0.9) == 0.001
    assert np.quantile(corrected, 0.9) == pytest.approx(0.8, abs=0.02)
    assert len(corrected) == 199


def test_of_many_a_part_is_returned_that_is_spread_alike():
    latencies, intervals = np.array([0.001] * 99 + [60.0]), np.full(100, 0.0001)

    some = back_fill(latencies, intervals, most=1000)

    assert 900 <= len(some) <= 1001
    assert np.quantile(some, [0.25, 0.5, 0.75]) == pytest.approx([15, 30, 45], rel=0.02)


@pytest.mark.parametrize(("latency", "interval"), [(1.0, 0.0), (-1.0, 1.0), (np.inf, 1.0)])
def test_what_can_not_be_corrected_is_refused(latency, interval):
    with pytest.raises(ValueError, match=r"above zero|negative"):
        back_fill(np.array([latency]), np.array([interval]))
