"""Figures about one workload run.  Plain data in, Plotly dictionaries out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dashboards.charts.theme import color, layout

Column = Sequence[float | None]


def load_figure(times: Column, series: dict[str, Column]) -> dict[str, Any]:
    """Draw latency above and throughput with errors below, on one axis of seconds since the start.

    `series` has p50, p95 and p99 in seconds, throughput in requests a second and error_share as a share.
    """
    data = [
        _line(name, times, series[name], token, "y", " s")
        for name, token in (("p50", "execution"), ("p95", "queue"), ("p99", "error"))
        if name in series
    ]
    if "throughput" in series:
        data.append(_line("requests a second", times, series["throughput"], "running", "y2", " /s"))
    if "error_share" in series:
        errors = [None if value is None else value * 100 for value in series["error_share"]]
        data.append(_line("errors", times, errors, "failed", "y3", " %"))
    axis = {"gridcolor": color("line"), "linecolor": color("line"), "automargin": True}
    return {
        "data": data,
        "layout": layout(
            height=380,
            margin={"r": 56},  # Plotly makes no room of itself for an axis that lies over another
            xaxis={"title": {"text": "seconds since the start"}, "anchor": "y2", "rangemode": "tozero"},
            yaxis={"domain": [0.48, 1], "rangemode": "tozero", "ticksuffix": " s"},
            yaxis2={**axis, "domain": [0, 0.38], "rangemode": "tozero", "ticksuffix": " /s"},
            yaxis3={
                "overlaying": "y2",
                "side": "right",
                "range": [0, 100],
                "tickvals": [0, 50, 100],
                "ticktext": ["0 %", "50 %", "100 %"],
                **_quiet(),
            },
        ),
    }


def ladder_figure(ladders: Sequence[tuple[str, Sequence[tuple[float, float]]]]) -> dict[str, Any]:
    """Draw latency over the share of requests that were answered within it; the tail gets room."""
    data = []
    tokens = ("execution", "queue", "error", "running", "flaky")
    marks = [0.0, 0.5, 0.9, 0.99, 0.999, 0.9999]
    for number, (name, ladder) in enumerate(ladders):
        data.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": name,
                "x": [1 / (1 - q) for q, _ in ladder],
                "y": [value for _, value in ladder],
                "text": [f"{q * 100:g} %" for q, _ in ladder],
                "hovertemplate": "%{text} within %{y:.4f} s<extra></extra>",
                "line": {"color": color(tokens[number % len(tokens)]), "width": 1.5},
                "marker": {"size": 5},
            }
        )
    return {
        "data": data,
        "layout": layout(
            xaxis={
                "type": "log",
                "tickvals": [1 / (1 - q) for q in marks],
                "ticktext": [f"{q * 100:g} %" for q in marks],
                "title": {"text": "share of requests"},
            },
            yaxis={"rangemode": "tozero", "ticksuffix": " s"},
            showlegend=len(ladders) > 1,
        ),
    }


def components_figure(rows: Sequence[tuple[str, float]]) -> dict[str, Any]:
    """Draw the mean seconds of each component of an answer, the longest first."""
    rows = sorted(rows, key=lambda row: row[1])
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "x": [seconds for _, seconds in rows],
                "y": [name for name, _ in rows],
                "marker": {"color": color("execution")},
                "hovertemplate": "%{y}: %{x:.4f} s<extra></extra>",
            }
        ],
        "layout": layout(xaxis={"ticksuffix": " s", "rangemode": "tozero"}, height=80 + 28 * len(rows)),
    }


def _line(name: str, times: Column, values: Column, token: str, axis: str, unit: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": list(times),
        "y": list(values),
        "yaxis": axis,
        "connectgaps": False,
        "hovertemplate": f"%{{x:.1f}} s: {name} %{{y:.4g}}{unit}<extra></extra>",
        "line": {"color": color(token), "width": 1.5},
    }


def _quiet() -> dict[str, Any]:
    return {"showgrid": False, "zeroline": False, "automargin": True}
