"""Lengths of time and counts in words: one place, so that both look the same on a page and in a shell."""

from __future__ import annotations

import math

NOTHING = "–"


def in_words(seconds: float | None) -> str:
    """Write seconds in the unit that suits them: "123 ms", "1.5 s", "41 s", "3.5 min", "2.0 h", "3.0 d"."""
    if seconds is None or not math.isfinite(seconds):
        return NOTHING
    if seconds < 0:
        return f"−{in_words(-seconds)}"
    if seconds == 0:
        return "0 s"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms" if seconds >= 0.0005 else "<1 ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    if seconds < 3597:
        return f"{seconds / 60:.1f} min"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86400:.1f} d"


def count(n: int, one: str, many: str = "") -> str:
    """Write a number with its noun: "1 run", "2 runs"."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"
