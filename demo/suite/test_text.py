import pytest
from shop import slug


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("Blue Pen", "blue-pen"), ("  50 % off! ", "50-off"), ("a--b", "a-b"), ("", "")],
)
def test_a_title_becomes_an_address(text, wanted):
    assert slug(text) == wanted


def test_an_address_stays_what_it_is():
    assert slug(slug("Blue Pen, 2nd Edition")) == slug("Blue Pen, 2nd Edition")
