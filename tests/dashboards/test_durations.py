from datetime import UTC, datetime, timedelta

import pytest

from dashboards.templatetags.durations import about, ago, duration, interval, number, precise, share, signed
from tests.factories import NINE


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (0, "0 s"),
        (0.0001, "<1 ms"),
        (0.123, "123 ms"),
        (0.9996, "1.0 s"),
        (1.5, "1.5 s"),
        (9.96, "10 s"),
        (41, "41 s"),
        (59.6, "1.0 min"),
        (210, "3.5 min"),
        (3598, "1.0 h"),
        (7300, "2.0 h"),
        (3 * 86400, "3.0 d"),
        (-1.5, "−1.5 s"),
        (float("nan"), "–"),
        (timedelta(minutes=3.5), "3.5 min"),
    ],
)
def test_a_length_has_a_unit_that_suits_it(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0 %"),
        (0.08, "8 %"),
        (0.007, "0.7 %"),
        (0.996, "99.6 %"),
        (1, "100 %"),
        (0.5, "50 %"),
    ],
)
def test_a_share_is_written_in_percent(value, text):
    assert share(value) == text


def test_counts_have_separators():
    assert number(12345) == "12,345"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "just now"),
        (48, "48 s ago"),
        (200, "3 min ago"),
        (7300, "2 h ago"),
        (5 * 86400, "5 d ago"),
        (-600, "in 10 min"),
    ],
)
def test_times_in_lists_are_relative(seconds, text):
    assert ago(NINE - timedelta(seconds=seconds), NINE) == text


def test_raw_stamps_are_in_utc_to_the_millisecond():
    assert precise(datetime(2026, 1, 4, 9, 30, 0, 123456, tzinfo=UTC)) == "2026-01-04 09:30:00.123Z"


def test_guesses_are_rough():
    assert about(133) == "2 min"


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (None, None, "–"),
        (0.985, 8.1, "+1.0 to +8.1 s"),
        (-0.25, 0.5, "−250.0 to +500.0 ms"),
        (-60, 240, "−1.0 to +4.0 min"),
        (-0.01, 2, "0 to +2.0 s"),
    ],
)
def test_an_interval_has_one_unit(low, high, text):
    assert interval({"low": low, "high": high}) == text


def test_a_difference_has_a_sign():
    assert [signed(value) for value in (16, -2, 0, None)] == ["+16 s", "−2.0 s", "0 s", "–"]
