"""Durations of one test over time.  Plain data in, Plotly dictionaries out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from dashboards.charts.theme import color, layout

_SYMBOLS = {"local": "circle", "ci": "square"}


class Point(Protocol):
    """One run of a test."""

    @property
    def at(self) -> datetime: ...
    @property
    def space(self) -> str: ...
    @property
    def word(self) -> str: ...
    @property
    def duration(self) -> float | None: ...


def durations_figure(points: Sequence[Point]) -> dict[str, Any]:
    """Draw the seconds of each run on one axis of time; desks and CI by shape, failures by color."""
    data = []
    for space, symbol in _SYMBOLS.items():
        mine = [point for point in reversed(points) if point.space == space and point.duration is not None]
        if not mine:
            continue
        bad = {"failed", "error"}
        colors = [color("failed" if point.word in bad else "execution") for point in mine]
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": "at a desk" if space == "local" else "in CI",
                "x": [point.at.isoformat() for point in mine],
                "y": [point.duration for point in mine],
                "text": [point.word for point in mine],
                "hovertemplate": "%{x}<br>%{y:.3f} s, %{text}<extra></extra>",
                "marker": {"color": colors, "symbol": symbol, "size": 8},
            }
        )
    return {"data": data, "layout": layout(yaxis={"rangemode": "tozero", "ticksuffix": " s"})}
