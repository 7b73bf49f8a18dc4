"""A very small shop, to have something worth testing."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


def with_tax(net: Decimal, rate: Decimal = Decimal("0.19")) -> Decimal:
    """Return the price with tax, rounded to cents."""
    if net < 0:
        raise ValueError("a price is not negative")
    return (net * (1 + rate)).quantize(CENT, ROUND_HALF_UP)


@dataclass
class Cart:
    lines: dict[str, tuple[int, Decimal]] = field(default_factory=dict)

    def add(self, article: str, price: Decimal, count: int = 1) -> None:
        had, _ = self.lines.get(article, (0, price))
        self.lines[article] = (had + count, price)

    def remove(self, article: str) -> None:
        del self.lines[article]

    @property
    def total(self) -> Decimal:
        return sum((count * price for count, price in self.lines.values()), Decimal(0)).quantize(CENT)


def slug(text: str) -> str:
    """Return `text` as it may stand in an address."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
