"""Small drawings for a report that is one file: SVG that takes its colors from the page, light and dark.

Pure: numbers in, markup out; every text is escaped.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, LEFT, RIGHT, ROW, TALL = 720, 190, 130, 28, 170
COLORS = ("var(--execution)", "var(--queue)", "var(--muted)")
Word = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Bar:
    """One row: a value with its interval, both in one unit; `note` stands at the right."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A series: times in seconds and values, both (n,); what is not finite is a gap."""

    label: str
    times: Sequence[float]
    values: Sequence[float]


def intervals(title: str, rows: Sequence[Bar], *, reference: float | None = None, word: Word = str) -> str:
    """Draw values as points with their intervals, one row each; `reference` is a line across all."""
    if not rows:
        return ""
    ends = [end for row in rows for end in (row.value, row.low, row.high) if end is not None]
    ends += [0.0 if reference is None else reference]
    low, high = min(ends), max(ends)
    scale = _scale(low, high if high > low else low + 1, LEFT, WIDTH - RIGHT)
    height = ROW * len(rows) + 26
    parts = []
    if reference is not None:
        x = scale(reference)
        parts.append(f'<line x1="{x:.1f}" y1="4" x2="{x:.1f}" y2="{height - 22}" stroke="var(--line)"/>')
        parts.append(_text(x, height - 8, word(reference), "middle"))
    for place, row in enumerate(rows):
        y = ROW * place + 16
        parts.append(_text(LEFT - 10, y + 4, row.label[:28], "end"))
        if row.low is not None and row.high is not None:
            x1, x2 = scale(row.low), scale(row.high)
            parts.append(
                f'<line x1="{x1:.1f}" y1="{y}" x2="{x2:.1f}" y2="{y}" stroke="{COLORS[0]}" stroke-width="6" '
                'stroke-linecap="round" opacity="0.4"/>'
            )
        parts.append(f'<circle cx="{scale(row.value):.1f}" cy="{y}" r="5" fill="{COLORS[0]}"/>')
        parts.append(_text(WIDTH - RIGHT + 14, y + 4, row.note or word(row.value), "start"))
    return _svg(title, height, parts)


def over_time(title: str, lines: Sequence[Line], *, word: Word = str) -> str:
    """Draw series over seconds, from a zero base, each named at its end."""
    points = [
        (x, y) for line in lines for x, y in zip(line.times, line.values, strict=True) if math.isfinite(y)
    ]
    if len(points) < 2:
        return ""
    across = _scale(min(x for x, _ in points), max(x for x, _ in points) or 1.0, 70, WIDTH - RIGHT)
    top = max(y for _, y in points) or 1.0
    up = _scale(0.0, top, TALL - 24, 12)
    parts = [
        f'<line x1="70" y1="{up(0):.1f}" x2="{WIDTH - RIGHT}" y2="{up(0):.1f}" stroke="var(--line)"/>',
        f'<line x1="70" y1="{up(top):.1f}" x2="{WIDTH - RIGHT}" y2="{up(top):.1f}" stroke="var(--line)"/>',
        _text(62, up(top) + 4, word(top), "end"),
        _text(62, up(0) + 4, "0", "end"),
        _text(WIDTH - RIGHT, TALL - 6, "seconds", "end"),
    ]
    ends: list[float] = []
    for color, line in zip(COLORS * len(lines), lines, strict=False):
        path, last = _path(line, across, up)
        if not path:
            continue
        parts.append(f'<path d="{path}" fill="none" stroke="{color}" stroke-width="2"/>')
        at = last
        while any(abs(at - other) < 14 for other in ends):
            at += 14
        ends.append(at)
        parts.append(_text(WIDTH - RIGHT + 8, at + 4, line.label, "start", color))
    return _svg(title, TALL, parts)


def _path(line: Line, across: Callable[[float], float], up: Callable[[float], float]) -> tuple[str, float]:
    words, is_open, last = [], False, 0.0
    for x, y in zip(line.times, line.values, strict=True):
        if not math.isfinite(y):
            is_open = False
            continue
        last = up(y)
        words.append(f"{'L' if is_open else 'M'}{across(x):.1f} {last:.1f}")
        is_open = True
    return " ".join(words), last


def _scale(low: float, high: float, begin: float, end: float) -> Callable[[float], float]:
    span = (high - low) or 1.0
    return lambda value: begin + (value - low) / span * (end - begin)


def _text(x: float, y: float, text: str, anchor: str, color: str = "var(--text)") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{color}">{escape(text)}</text>'


def _svg(title: str, height: int, parts: Sequence[str]) -> str:
    return (
        f'<figure><figcaption>{escape(title)}</figcaption><div class="scroll">'
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}" '
        f'width="{WIDTH}" height="{height}" font-size="13">{"".join(parts)}</svg></div></figure>'
    )
