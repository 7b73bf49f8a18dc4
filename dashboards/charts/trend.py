"""Figures about a definition over time.  Plain data in, Plotly dictionaries out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dashboards.charts.theme import color, layout
from tracking.history import Day

TICKS = [0, 25, 50, 75, 100]


def pass_rate_figure(days: Sequence[Day]) -> dict[str, Any]:
    """Draw the share of passed runs per day with its 95 % interval; days without runs are gaps."""
    shown = [day for day in days if day.rate is not None]
    rates = [_percent(day.rate) for day in shown]
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "markers",
                "name": "passed",
                "x": [day.day.isoformat() for day in shown],
                "y": rates,
                "customdata": [
                    [day.passed, day.decided, _percent(day.low), _percent(day.high)] for day in shown
                ],
                "hovertemplate": "%{x}: %{y:.0f} % (%{customdata[2]:.0f} to %{customdata[3]:.0f})<br>"
                "%{customdata[0]} of %{customdata[1]} runs passed<extra></extra>",
                "marker": {"color": color("passed"), "size": 7},
                "error_y": {
                    "type": "data",
                    "symmetric": False,
                    "array": [_percent(day.high) - _percent(day.rate) for day in shown],
                    "arrayminus": [_percent(day.rate) - _percent(day.low) for day in shown],
                    "color": color("muted"),
                    "thickness": 1,
                    "width": 2,
                },
            }
        ],
        "layout": layout(
            # Plotly puts a suffix to no tick that was placed by hand.
            yaxis={"range": [-3, 105], "tickvals": TICKS, "ticktext": [f"{tick} %" for tick in TICKS]},
            xaxis=_span(days),
            showlegend=False,
        ),
    }


def duration_figure(days: Sequence[Day]) -> dict[str, Any]:
    """Draw p50 and p95 of the runs' wall time per day, in seconds from zero."""
    shown = [day for day in days if day.p50 is not None]
    return {
        "data": [
            _line("p50", shown, [day.p50 for day in shown], "execution"),
            _line("p95", shown, [day.p95 for day in shown], "queue"),
        ],
        "layout": layout(yaxis={"rangemode": "tozero", "ticksuffix": " s"}, xaxis=_span(days)),
    }


def _line(name: str, shown: Sequence[Day], values: list[float | None], token: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": [day.day.isoformat() for day in shown],
        "y": values,
        "customdata": [day.timed for day in shown],
        "hovertemplate": f"%{{x}}: {name} %{{y:.1f}} s, n %{{customdata}}<extra></extra>",
        "line": {"color": color(token), "width": 1.5},
        "marker": {"color": color(token), "size": 5},
    }


def _span(days: Sequence[Day]) -> dict[str, Any]:
    axis: dict[str, Any] = {"type": "date"}
    if days:
        axis["range"] = [days[0].day.isoformat(), f"{days[-1].day.isoformat()}T23:59:59"]
    return axis


def _percent(share: float | None) -> float:
    return round((share or 0.0) * 100, 2)
