"""How far back to look, as people type it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_LENGTH = re.compile(r"(\d{1,5})\s*(m|min|minutes?|h|hours?|d|days?|w|weeks?)")
_UNITS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}


def since_of(text: str, *, now: datetime) -> datetime:
    """Return the moment that `7days`, `36h`, `2 weeks` or `2026-02-01` means.

    Raises:
        ValueError: it means none; the message says how to write one.
    """
    typed = text.strip().lower()
    found = _LENGTH.fullmatch(typed)
    try:
        if found:
            return now - int(found[1]) * _UNITS[found[2][0]]
        read = datetime.fromisoformat(typed.upper())
    except (ValueError, OverflowError):
        raise ValueError(
            f"{text!r} is no time to look back to. Write 7days, 36h, 2weeks or a day such as 2026-02-01."
        ) from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)
