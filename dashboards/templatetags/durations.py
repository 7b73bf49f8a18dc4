"""The one place that turns numbers and times into text, so that the same number looks the same everywhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html

from analysis.wording import NOTHING, in_words
from performance.wording import in_short_words

register = template.Library()


@register.filter
def duration(value: float | timedelta | None) -> str:
    """Write seconds: 0.123 -> "123 ms", 1.5 -> "1.5 s", 41 -> "41 s", 210 -> "3.5 min", 7300 -> "2.0 h"."""
    if value is None or value == "":
        return NOTHING
    return in_words(value.total_seconds() if isinstance(value, timedelta) else float(value))


@register.filter
def share(value: float | None) -> str:
    """Write a share of 0 to 1: 0.08 -> "8 %", 0.007 -> "0.7 %", 0.996 -> "99.6 %"."""
    if value is None or value == "":
        return NOTHING
    percent = float(value) * 100
    if 0 < percent < 0.95 or 99 < percent < 100:
        return f"{percent:.1f} %"
    return f"{percent:.0f} %"


@register.filter
def number(value: float | None) -> str:
    """Write a count: 12345 -> "12,345"."""
    return NOTHING if value is None or value == "" else f"{value:,}"


@register.filter
def signed(value: float | None) -> str:
    """Write a difference in seconds: 16 -> "+16 s", -2 -> "−2.0 s", 0 -> "0 s"."""
    text = duration(value)
    return f"+{text}" if value is not None and value > 0 else text


@register.filter
def interval(of: Any) -> str:
    """Write `low` and `high` of a comparison in one unit: 11, 20.4 -> "+11.0 to +20.4 s"."""
    low, high = (of["low"], of["high"]) if isinstance(of, dict) else (of.low, of.high)
    if low is None or high is None:
        return NOTHING
    widest = max(abs(low), abs(high))
    size, unit = next((size, unit) for most, size, unit in _UNITS if widest < most)
    ends = " to ".join(f"{round(end / size, 1) or 0.0:+.1f}".replace("+0.0", "0") for end in (low, high))
    return f"{ends} {unit}".replace("-", "−")


_UNITS = ((0.9995, 1e-3, "ms"), (99.95, 1, "s"), (5997, 60, "min"), (float("inf"), 3600, "h"))


@register.filter
def cell(text: object) -> str:
    """Write a text into a table of Markdown: one line, and no bar of its own."""
    return " ".join(str(text).split()).replace("|", "\\|")


@register.filter
def part(name: str) -> str:
    """Write the name of a part of a run's time: "lost_parallelism" -> "lost parallelism"."""
    return "set-up" if name == "setup" else name.replace("_", " ")


@register.filter
def measure(value: float | None, unit: str) -> str:
    """Write a figure in its unit: seconds as lengths, shares in percent, 1234.5 of "1/s" -> "1,234 /s"."""
    if value is None or value == "":
        return NOTHING
    if unit == "s":
        return in_words(float(value))
    if unit == "share":
        return share(value)
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {unit.removeprefix('1')}".strip()


@register.filter
def figure_word(metric: str) -> str:
    """Write the name of a figure: "latency.p95" -> "p95 latency", "error_share" -> "errors"."""
    name, _, quantile = metric.partition(".")
    name = "errors" if name == "error_share" else name.removeprefix("component:").replace("_", " ")
    return f"{'median' if quantile == 'p50' else quantile} {name}".strip()


@register.filter
def measure_short(seconds: float | None) -> str:
    """Write a time that may be very short, with three digits: 6.7e-7 -> "670 ns"."""
    return in_short_words(seconds)


@register.filter
def exact(value: datetime | None) -> str:
    """Write a time to the second in the reader's zone, as in "2026-01-04 09:30:00"."""
    return NOTHING if not value else timezone.localtime(value).strftime("%Y-%m-%d %H:%M:%S")


@register.filter
def precise(value: datetime | None) -> str:
    """Write a raw stamp to the millisecond in UTC, as in "2026-01-04 09:30:00.123Z"."""
    if not value:
        return NOTHING
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + "Z"


def ago(value: datetime, now: datetime) -> str:
    """Write how long ago it was: "just now", "3 min ago", "2 h ago", "5 d ago"."""
    seconds = (now - value).total_seconds()
    if seconds < 0:
        return "just now" if seconds > -60 else f"in {_about(-seconds)}"
    return "just now" if seconds < 10 else f"{_about(seconds)} ago"


@register.filter
def about(value: float | None) -> str:
    """Write a rough length, for guesses: 133 -> "2 min"."""
    return NOTHING if value is None else _about(float(value))


@register.simple_tag
def when(value: datetime | None) -> str:
    """Write how long ago it was, with the exact time and zone as title."""
    if not value:
        return NOTHING
    local = timezone.localtime(value)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        value.astimezone(UTC).isoformat(timespec="seconds"),
        f"{exact(value)} {local.tzname()}",
        ago(value, timezone.now()),
    )


def _about(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size * 0.995:
            return f"{round(seconds / size)} {unit}"
    return f"{max(round(seconds), 1)} s"
