"""What can be made wrong with the shop, while it runs too."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

SLOW = ("database", "rendering", "payment")


class BadSwitch(ValueError):
    """There is no such switch, or it can't stand so; the message says what is possible."""


@dataclass(frozen=True)
class Switches:
    """All off by default.  Seconds are added to every request that uses the part.

    `lock`: seconds for which every request holds the one lock.  `cpu`: seconds of computing per request.
    `errors`: share of requests, 0 to 1, answered 500, from `errors_above` requests in a second on.
    `leak_latency`: seconds that each request served makes the later ones slower.  `leak_memory`: bytes that
    each leaves behind.  `workers`: requests worked on at once, 0 for any number.  `outliers`: share of
    product pages that take `outlier_time` seconds.
    """

    database: float = 0.0
    rendering: float = 0.0
    payment: float = 0.0
    lock: float = 0.0
    cpu: float = 0.0
    errors: float = 0.0
    errors_above: float = 0.0
    leak_latency: float = 0.0
    leak_memory: int = 0
    workers: int = 0
    outliers: float = 0.0
    outlier_time: float = 0.25

    def changed(self, values: Mapping[str, Any]) -> Switches:
        """Return these switches with some at other positions."""
        known = {field.name: type(field.default) for field in dataclasses.fields(self)}
        for name, value in values.items():
            if name not in known:
                raise BadSwitch(f"There is no switch {name!r}; there are {', '.join(known)}.")
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
                raise BadSwitch(f"{name} takes a number from 0 on, not {value!r}.")
        return dataclasses.replace(self, **{name: known[name](value) for name, value in values.items()})


def read_switches(words: Iterable[str]) -> dict[str, float]:
    """Return name -> position from words as in `database=0.05`."""
    found = {}
    for word in words:
        name, _, value = word.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            raise BadSwitch(f"Write a switch as database=0.05, not {word!r}.") from None
    return found
