"""A workload's figure over its runs, with the changes of level.  Plain data in, Plotly dictionaries out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dashboards.charts.theme import color, layout


@dataclass(frozen=True, slots=True)
class Point:
    """One run: its figure with its 95 % interval, and whether it counts."""

    at: datetime
    label: str
    value: float
    low: float | None
    high: float | None
    counts: bool


@dataclass(frozen=True, slots=True)
class Level:
    """From when on the series had another level."""

    at: datetime
    text: str
    is_worse: bool


def trend_figure(points: Sequence[Point], levels: Sequence[Level], *, unit: str) -> dict[str, Any]:
    """Draw each run's figure, those that do not count hollow, and a line where the level changed."""
    factor, suffix = (100.0, " %") if unit == "share" else (1.0, f" {unit}")
    return {
        "data": [_marks(points, factor, suffix)],
        "layout": layout(
            xaxis={"type": "date"},
            yaxis={"rangemode": "tozero", "ticksuffix": suffix},
            showlegend=False,
            shapes=[_edge(level) for level in levels],
            annotations=[_label(level) for level in levels],
        ),
    }


def _marks(points: Sequence[Point], factor: float, suffix: str) -> dict[str, Any]:
    def above(point: Point) -> float:
        return 0.0 if point.high is None else (point.high - point.value) * factor

    def below(point: Point) -> float:
        return 0.0 if point.low is None else (point.value - point.low) * factor

    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [point.at.isoformat() for point in points],
        "y": [point.value * factor for point in points],
        "text": [point.label for point in points],
        "hovertemplate": f"%{{text}}<br>%{{y:.4g}}{suffix}<extra></extra>",
        "line": {"color": color("line"), "width": 1},
        "marker": {
            "color": [color("execution" if point.counts else "skipped") for point in points],
            "symbol": ["circle" if point.counts else "circle-open" for point in points],
            "size": 8,
        },
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [above(point) for point in points],
            "arrayminus": [below(point) for point in points],
            "color": color("muted"),
            "thickness": 1,
            "width": 2,
        },
    }


def _edge(level: Level) -> dict[str, Any]:
    token = "failed" if level.is_worse else "passed"
    line = {"color": color(token), "width": 1.5, "dash": "dot"}
    at = level.at.isoformat()
    return {"type": "line", "xref": "x", "yref": "paper", "x0": at, "x1": at, "y0": 0, "y1": 1, "line": line}


def _label(level: Level) -> dict[str, Any]:
    return {
        "x": level.at.isoformat(),
        "y": 1,
        "yref": "paper",
        "text": level.text,
        "showarrow": False,
        "xanchor": "left",
        "font": {"color": color("text"), "size": 11},
    }
