import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.sketches import count_of, merge, quantile_of, quantiles_of, sketch

seconds = st.floats(0.001, 1e5)


@given(st.lists(seconds, min_size=1, max_size=200), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_a_quantile_is_within_one_percent_of_a_value_of_that_rank(values, q):
    found = quantile_of(sketch(values), q)

    low, high = (np.quantile(values, q, method=method) for method in ("lower", "higher"))
    assert low * 0.99 <= found <= high * 1.01


@given(st.lists(st.lists(seconds, max_size=40), max_size=6))
def test_merged_sketches_say_what_one_sketch_of_all_values_says(parts):
    everything = [value for part in parts for value in part]

    merged = merge(sketch(part) for part in parts)

    assert count_of(merged) == len(everything)
    assert quantile_of(merged, 0.5) == quantile_of(sketch(everything), 0.5)


def test_a_sketch_of_nothing_is_empty():
    assert sketch([]) == b""
    assert merge([b"", b""]) == b""
    assert quantile_of(b"", 0.5) is None
    assert count_of(b"") == 0


def test_a_time_of_zero_counts():
    assert count_of(sketch([0.0, 0.0, 5.0])) == 3
    assert quantile_of(sketch([0.0, 0.0, 5.0]), 0.5) == pytest.approx(0.0)


def test_a_sketch_of_many_values_stays_small():
    assert len(sketch(np.random.default_rng(1).lognormal(3, 1, 10_000))) < 2_500


def test_quantiles_of_many_sketches_are_those_of_the_merged_one():
    parts = [sketch([1.0, 2.0, 3.0]), b"", sketch([10.0, 20.0])]

    n, (p50, p95) = quantiles_of(parts, 0.5, 0.95)

    assert n == 5
    assert p50 == pytest.approx(quantile_of(merge(parts), 0.5))
    assert p95 == pytest.approx(quantile_of(merge(parts), 0.95))
    assert quantiles_of([b""], 0.5) == (0, [None])
