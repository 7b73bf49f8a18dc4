"""Figures of runs side by side.  Plain data in, Plotly dictionaries out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dashboards.charts.theme import color, layout

MOST_POINTS = 500  # drawn of one run and part; more are thinned evenly
Times = tuple[str, Sequence[float], Sequence[float]]  # a run's label, queue and execution in seconds


def distributions_figure(runs: Sequence[Times]) -> dict[str, Any]:
    """Draw queue and execution of each run as boxes with their points, in seconds on one axis.

    The boxes lie, so that the runs stand one below the other in the order in which they are given.
    """
    data = []
    for part in ("queue", "execution"):
        points = [
            (label, value)
            for label, queue, execution in runs
            for value in _thinned(queue if part == "queue" else execution)
        ]
        data.append(
            {
                "type": "box",
                "orientation": "h",
                "name": part,
                "y": [label for label, _ in points],
                "x": [value for _, value in points],
                "boxpoints": "all",
                "jitter": 0.5,
                "pointpos": 0,
                "marker": {"color": color(part), "size": 4, "opacity": 0.55},
                "line": {"color": color(part), "width": 1.5},
                "fillcolor": "rgba(0,0,0,0)",
                "hovertemplate": f"%{{y}}, {part} %{{x:.2f}} s<extra></extra>",
            }
        )
    labels = [label for label, *_ in runs]
    return {
        "data": data,
        "layout": layout(
            boxmode="group",
            xaxis={"rangemode": "tozero", "ticksuffix": " s", "title": {"text": "seconds per workflow"}},
            yaxis={"type": "category", "categoryorder": "array", "categoryarray": labels[::-1]},
            legend={"traceorder": "normal"},
            height=110 + 90 * len(runs),
        ),
    }


def _thinned(values: Sequence[float]) -> list[float]:
    ordered = sorted(values)
    if len(ordered) <= MOST_POINTS:
        return ordered
    step = (len(ordered) - 1) / (MOST_POINTS - 1)
    return [ordered[round(at * step)] for at in range(MOST_POINTS)]
