from decimal import Decimal

import pytest
from shop import with_tax


@pytest.mark.parametrize(
    ("net", "gross"), [("100", "119.00"), ("0", "0.00"), ("9.99", "11.89"), ("0.05", "0.06")]
)
def test_tax_is_added_and_rounded_to_cents(net, gross):
    assert with_tax(Decimal(net)) == Decimal(gross)


def test_a_price_is_not_negative():
    with pytest.raises(ValueError, match="negative"):
        with_tax(Decimal("-1"))
