"""Figures about runners.  Plain data in, Plotly dictionaries out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from dashboards.charts.theme import color, layout


class Hour(Protocol):
    """An hour of the day with its jobs."""

    @property
    def hour(self) -> int: ...
    @property
    def jobs(self) -> int: ...
    @property
    def queue_mean(self) -> float | None: ...


def hours_figure(hours: Sequence[Hour]) -> dict[str, Any]:
    """Mean queue time in seconds by the hour of the day (UTC) in which jobs became ready."""
    return {
        "data": [
            {
                "type": "bar",
                "name": "queue",
                "x": [f"{row.hour:02}:00" for row in hours],
                "y": [row.queue_mean for row in hours],
                "customdata": [row.jobs for row in hours],
                "hovertemplate": "%{x} UTC<br>mean queue %{y:.1f} s<br>%{customdata} jobs<extra></extra>",
                "marker": {"color": color("queue")},
            }
        ],
        "layout": layout(
            bargap=0.15,
            xaxis={
                "title": {"text": "hour of the day (UTC)"},
                "type": "category",
                "categoryorder": "array",
                "categoryarray": [f"{hour:02}:00" for hour in range(24)],
                "range": [-0.5, 23.5],
            },
            yaxis={"ticksuffix": " s", "rangemode": "tozero"},
        ),
    }
