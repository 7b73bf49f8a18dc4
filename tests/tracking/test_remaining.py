import pytest

from tracking.remaining import seconds_left


@pytest.mark.parametrize(
    ("facts", "left"),
    [
        ({"done": 17, "workflows": 34, "elapsed": 60.0}, 60.0),
        ({"done": 10, "workflows": 40, "elapsed": 20.0, "usual": 500.0}, 60.0),
        ({"done": 1, "workflows": 34, "elapsed": 20.0, "usual": 120.0}, 100.0),
        ({"done": 0, "workflows": 34, "elapsed": 20.0, "usual": 120.0}, 100.0),
        ({"done": 0, "workflows": 34, "elapsed": 130.0, "usual": 120.0}, None),
        ({"done": 0, "workflows": 34, "elapsed": 20.0}, None),
        ({"done": 34, "workflows": 34, "elapsed": 20.0, "usual": 120.0}, None),
        ({"done": 0, "workflows": 0, "elapsed": 20.0, "usual": 120.0}, None),
        ({"done": 1, "workflows": 2, "elapsed": 20.0}, 20.0),
    ],
)
def test_what_is_left_follows_from_the_pace_or_from_earlier_runs(facts, left):
    assert seconds_left(**facts) == left
