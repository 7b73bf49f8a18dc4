"""When a line of cron comes next."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.cron import parse

BERLIN, TOKYO = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Tokyo")


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "zone", "now", "expected"),
    [
        ("* * * * *", UTC, "2026-01-04 09:00", "2026-01-04 09:01"),
        ("*/15 9-17 * * mon-fri", UTC, "2026-01-02 17:45", "2026-01-05 09:00"),
        ("30 2 * * *", BERLIN, "2026-01-04 09:00", "2026-01-05 01:30"),
        ("30 2 * * *", TOKYO, "2026-01-04 09:00", "2026-01-04 17:30"),
        ("0 0 29 2 *", UTC, "2026-01-04 09:00", "2028-02-29 00:00"),
        ("0 12 * * 7", UTC, "2026-01-04 12:00", "2026-01-11 12:00"),
        ("0 0 1,15 * 5", UTC, "2026-01-04 09:00", "2026-01-09 00:00"),  # either day, as cron has it
        ("5/20 * * * *", UTC, "2026-01-04 09:30", "2026-01-04 09:45"),
    ],
)
def test_the_next_time_is_the_one_of_the_calendar(line, zone, now, expected):
    assert parse(line).next_after(at(now), zone) == at(expected)


def test_a_time_that_the_clock_skips_comes_once_and_one_that_it_repeats_comes_once():
    nightly = parse("30 2 * * *")

    spring = nightly.next_after(at("2026-03-28 12:00"), BERLIN)
    assert spring == at("2026-03-29 01:30")  # 03:30 by the clock, which jumped over 02:30
    assert nightly.next_after(spring, BERLIN) == at("2026-03-30 00:30")
    autumn = nightly.next_after(at("2026-10-24 12:00"), BERLIN)
    assert autumn == at("2026-10-25 00:30")
    assert nightly.next_after(autumn, BERLIN) == at("2026-10-26 01:30")


def test_a_day_that_never_comes_has_no_next_time():
    assert parse("0 0 30 2 *").next_after(at("2026-01-04 09:00"), UTC) is None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("* * * *", "five fields"),
        ("60 * * * *", "minute '60' is no number from 0 to 59"),
        ("* 5-3 * * *", "ends before it begins"),
        ("*/0 * * * *", "after its slash"),
        ("* * * * someday", "weekday"),
        ("-1 * * * *", "minute"),
        ("² * * * *", "minute"),
    ],
)
def test_a_wrong_line_says_what_is_wrong(line, said):
    with pytest.raises(ValueError, match=said):
        parse(line)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 59),
    st.integers(0, 23),
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)),  # noqa: DTZ001
)
def test_a_daily_time_comes_within_a_day_and_two_hours_and_later_each_time(minute, hour, moment):
    moment = moment.replace(tzinfo=UTC)
    first = parse(f"{minute} {hour} * * *").next_after(moment, BERLIN)

    assert moment < first <= moment + timedelta(hours=26)
    assert first.astimezone(BERLIN).minute == minute


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=20))
def test_whatever_is_typed_is_read_or_refused(line):
    with suppress(ValueError):
        assert parse(line).minutes
