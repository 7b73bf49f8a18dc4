"""Figures about where a run's time went.  Plain data in, Plotly dictionaries out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dashboards.charts.theme import color, layout
from dashboards.timeline import Line


def timing_figure(lines: Sequence[Line]) -> dict[str, Any]:
    """Stack execution on queue time, one bar per workflow that ran, in seconds."""
    shown = sorted(
        (line for line in lines if line.total is not None and line.queue is not None),
        key=lambda line: line.workflow.position,
    )
    return {
        "data": [
            _bars("queue", shown, [line.queue for line in shown], {"shape": "/", "size": 5, "solidity": 0.5}),
            _bars("execution", shown, [line.execution for line in shown], {}),
        ],
        "layout": layout(
            barmode="stack",
            bargap=0.15,
            xaxis={"title": {"text": "workflow"}, "tickformat": "d"},
            yaxis={"ticksuffix": " s", "rangemode": "tozero"},
        ),
    }


def _bars(
    part: str, lines: Sequence[Line], values: list[float | None], pattern: dict[str, Any]
) -> dict[str, Any]:
    return {
        "type": "bar",
        "name": part,
        "x": [line.workflow.position for line in lines],
        "y": values,
        "customdata": [line.workflow.position for line in lines],
        "text": [f"{line.workflow.name}, {line.state.word}" for line in lines],
        "textposition": "none",
        "hovertemplate": f"%{{x}} %{{text}}<br>{part} %{{y:.2f}} s<extra></extra>",
        "marker": {"color": color(part), "pattern": pattern},
    }
