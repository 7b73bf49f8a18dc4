"""Figures in words: three digits and the unit that suits them."""

import pytest

from performance.wording import in_short_words


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0 s"),
        (671e-9, "671 ns"),
        (0.9996e-6, "1.00 µs"),
        (9.996e-6, "0.0100 ms"),
        (0.000283, "0.283 ms"),
        (0.12345, "123 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.00 s"),
        (9.996, "10.0 s"),
        (-0.0124, "−12.4 ms"),
        (210, "3.5 min"),
        (None, "–"),
        (float("nan"), "–"),
    ],
)
def test_a_time_is_told_in_three_digits_whatever_it_rounds_to(seconds, told):
    assert in_short_words(seconds) == told
