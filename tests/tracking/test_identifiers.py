from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking.identifiers import environment_name, new_test_run_id, parse_test_run_id

moments = st.integers(0, 4_000_000_000).map(lambda second: datetime.fromtimestamp(second, tz=UTC))
AT = datetime(2026, 1, 4, 9, 30, tzinfo=UTC)


def test_a_name_tells_type_date_and_time():
    assert new_test_run_id("performance", AT).startswith("performance_20260104_093000_")


def test_a_name_is_in_utc_wherever_it_is_made():
    there = AT.astimezone(timezone(timedelta(hours=9)))

    assert new_test_run_id("performance", there)[:-6] == new_test_run_id("performance", AT)[:-6]


@given(
    st.from_regex(r"[a-z0-9][a-z0-9_-]{0,30}", fullmatch=True),
    moments,
)
def test_a_name_can_be_taken_apart_again(test_type, at):
    assert parse_test_run_id(new_test_run_id(test_type, at)) == (test_type, at)


@pytest.mark.parametrize(
    "text", ["", "performance", "performance_20260104_093000", "x_20261399_093000_abc123", "../etc"]
)
def test_what_is_no_name_is_refused(text):
    with pytest.raises(ValueError, match=r"test run id|does not match|out of range|time data|unconverted"):
        parse_test_run_id(text)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("aws_ecs", "aws-ecs"),
        ("aws-ecs", "aws-ecs"),
        ("production", "prod"),
        ("prod", "prod"),
        (" Staging ", "staging"),
    ],
)
def test_an_environment_has_one_spelling(typed, name):
    assert environment_name(typed) == name
