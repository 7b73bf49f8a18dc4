"""Numbers as the languages of the world write them."""

import pytest

from executions.reports.values import parse_seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1,234,567.5", 1234567.5),
        ("1.234,5", 1234.5),
        ("1.234.567,5", 1234567.5),
        ("1 234.5", 1234.5),
        ("1\u00a0234,5", 1234.5),
        ("1\u202f234\u202f567,5", 1234567.5),
        ("1'234.5", 1234.5),
        ("1\u2019234.5", 1234.5),
        ("1 234", 1234.0),
        ("1.234", 1.234),
        ("1 23.5", None),
        ("1.234,5.6", None),
        ("1 234'567", None),
        ("12,34,567.5", None),
        ("1.234 s", None),
    ],
)
def test_separators_of_thousands_are_known_where_they_can_be_nothing_else(text, seconds):
    assert parse_seconds(text) == seconds
