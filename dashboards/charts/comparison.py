"""Distributions of two runs side by side.  Plain data in, Plotly dictionaries out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dashboards.charts.theme import color, layout

Times = Sequence[tuple[float | None, float | None]]  # queue and execution of each workflow, in seconds


def distributions_figure(runs: Sequence[tuple[str, Times]]) -> dict[str, Any]:
    """Draw queue and execution of each run as boxes with all their points, in seconds."""
    data = []
    for number, part in enumerate(("queue", "execution")):
        values = [
            (name, times[number]) for name, found in runs for times in found if times[number] is not None
        ]
        data.append(
            {
                "type": "box",
                "name": part,
                "x": [name for name, _ in values],
                "y": [value for _, value in values],
                "boxpoints": "all",
                "jitter": 0.4,
                "pointpos": 0,
                "marker": {"color": color(part), "size": 4, "opacity": 0.6},
                "line": {"color": color(part)},
                "hovertemplate": f"{part} %{{y:.2f}} s<extra></extra>",
            }
        )
    return {
        "data": data,
        "layout": layout(boxmode="group", yaxis={"rangemode": "tozero", "ticksuffix": " s"}, height=340),
    }
