"""The time zones that this machine knows."""

from __future__ import annotations

import zoneinfo
from functools import cache


@cache  # finding them reads hundreds of files
def time_zones() -> frozenset[str]:
    """Return the names of all time zones, such as Europe/Berlin."""
    return frozenset(zoneinfo.available_timezones())
