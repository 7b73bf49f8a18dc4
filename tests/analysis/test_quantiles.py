import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.quantiles import quantile, summarize

numbers = st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=60)


@pytest.mark.parametrize(
    ("values", "q", "wanted"),
    [
        ([7.0], 0.0, 7.0),
        ([7.0], 0.99, 7.0),
        ([4.0, 1.0, 3.0, 2.0], 0.5, 2.5),
        ([1.0, 2.0, 3.0, 4.0, 5.0], 0.25, 2.0),
        ([0.0, 10.0], 0.95, 9.5),
    ],
)
def test_a_quantile_lies_between_its_neighbors(values, q, wanted):
    assert quantile(values, q) == pytest.approx(wanted)


@pytest.mark.parametrize(("values", "q"), [([], 0.5), ([math.nan], 0.5), ([1.0], -0.1), ([1.0], 1.1)])
def test_a_quantile_of_nothing_or_outside_the_scale_is_refused(values, q):
    with pytest.raises(ValueError, match=r"quantile|\[0, 1\]"):
        quantile(values, q)


@given(numbers)
def test_a_summary_agrees_with_numpy(values):
    found = summarize(values)

    assert found.n == len(values)
    assert found.mean == pytest.approx(np.mean(values), rel=1e-9, abs=1e-6)
    assert [found.p50, found.p95, found.p99] == pytest.approx(
        [np.percentile(values, q) for q in (50, 95, 99)], rel=1e-9, abs=1e-6
    )


def test_nothing_has_no_summary():
    assert summarize([]) is None


def test_a_single_value_does_not_vary():
    assert summarize([3.0]).stdev == 0
