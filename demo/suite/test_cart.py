from decimal import Decimal

import pytest
from shop import Cart


@pytest.fixture
def cart():
    return Cart()


def test_an_empty_cart_costs_nothing(cart):
    assert cart.total == 0


def test_articles_add_up(cart):
    cart.add("pen", Decimal("1.20"), 3)
    cart.add("pen", Decimal("1.20"))
    cart.add("ink", Decimal("4.99"))

    assert cart.total == Decimal("9.79")


def test_what_is_taken_out_costs_nothing(cart):
    cart.add("pen", Decimal("1.20"))
    cart.remove("pen")

    assert cart.total == 0


def test_what_is_not_in_the_cart_can_not_be_taken_out(cart):
    with pytest.raises(KeyError):
        cart.remove("ghost")
