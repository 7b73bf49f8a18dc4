"""Figures of a load in words, each with its unit."""

from __future__ import annotations

import math

from analysis.wording import NOTHING, in_words

_UNITS = (1e-9, "ns", 1e-6), (1e-6, "µs", 1e-5), (1e-3, "ms", 1.0)  # each, and where the next one begins


def in_short_words(seconds: float | None) -> str:
    """Write a time with three digits: "671 ns", "6.71 µs", "0.283 ms", "12.4 ms", "1.24 s", "3.5 min"."""
    if seconds is None or not math.isfinite(seconds):
        return NOTHING
    if seconds >= 59.5:
        return in_words(seconds)
    if seconds <= 0:
        return "0 s" if seconds == 0 else f"−{in_short_words(-seconds)}"
    seconds = float(f"{seconds:.3g}")  # first, because 999.6 ms are 1.00 s
    scale, unit = next(((scale, unit) for scale, unit, below in _UNITS if seconds < below), (1.0, "s"))
    return f"{seconds / scale:#.3g} {unit}".replace(". ", " ")


def figure(value: float | None, unit: str) -> str:
    """Write a figure in its unit: s, 1/s, share, bytes."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if unit == "s":
        return in_short_words(value)
    if unit == "share":
        return f"{value:.2%}"
    if unit == "bytes":
        return f"{value:,.0f} bytes"
    digits = f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
    return f"{digits} {unit}".strip()
