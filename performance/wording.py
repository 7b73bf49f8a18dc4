"""Figures of a load in words, each with its unit."""

from __future__ import annotations

import math

from analysis.wording import NOTHING, in_words


def in_short_words(seconds: float | None) -> str:
    """Write a time with three digits: "671 ns", "6.71 µs", "0.283 ms", "12.4 ms", "1.24 s", "3.5 min"."""
    if seconds is None or not math.isfinite(seconds):
        return NOTHING
    if seconds >= 59.5:
        return in_words(seconds)
    if seconds >= 1:
        return f"{seconds:#.3g} s".replace(". ", " ")
    if 0 < seconds < 1e-5:
        scale, unit = (1e9, "ns") if seconds < 1e-6 else (1e6, "µs")
        return f"{seconds * scale:#.3g} {unit}".replace(". ", " ")
    return f"{seconds * 1000:#.3g} ms".replace(". ", " ") if seconds else "0 s"


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
