"""Columns come back as they were packed."""

import math

from hypothesis import given
from hypothesis import strategies as st

from analysis.columns import as_list, pack, unpack

numbers = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(st.none() | numbers))
def test_a_column_comes_back_with_its_gaps(values):
    assert as_list(pack(values)) == values


def test_a_gap_is_not_a_zero():
    assert math.isnan(unpack(pack([0.0, None]))[1])


def test_a_database_may_hand_out_a_view_of_the_bytes():
    assert as_list(memoryview(pack([1.5]))) == [1.5]


def test_a_thousand_equal_values_take_little_room():
    assert len(pack([0.25] * 1000)) < 100
