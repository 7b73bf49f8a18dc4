"""Resources over the time of a run, one panel per unit.  Plain data in, Plotly dictionaries out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import numpy as np

from dashboards.charts.theme import color, layout

MOST_PANELS = 5
PANEL = 150  # pixels
_COLORS = ("execution", "queue", "passed", "error", "failed", "flaky")
_DASHES = ("solid", "dash", "dot", "dashdot")  # so that lines differ without color too


class Series(Protocol):
    """One resource; times (n,) in seconds since the run's start."""

    @property
    def name(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def times(self) -> np.ndarray: ...
    @property
    def values(self) -> np.ndarray: ...


def resources_figure(series: Sequence[Series], start: datetime, end: datetime | None) -> dict[str, Any]:
    """Draw the series that have values above each other, on the time of the run; gaps stay gaps."""
    drawn = [one for one in series if np.isfinite(one.values).any()]
    units = list(dict.fromkeys(one.unit for one in drawn))[:MOST_PANELS]
    height, gap = 1 / max(len(units), 1), 0.05
    changes: dict[str, Any] = {"height": 60 + PANEL * max(len(units), 1)}
    for number, unit in enumerate(units):
        top = 1 - number * height
        axis = {**layout()["yaxis"], "rangemode": "tozero", "title": {"text": _titled(unit)}}
        axis["domain"] = [max(top - height + gap, 0), top]
        changes[_axis("yaxis", number)] = {**axis, **({"tickformat": ".0%"} if unit == "share" else {})}
    x = {"anchor": _axis("y", max(len(units) - 1, 0)), "type": "date"}
    if end and end > start:
        x["range"] = [_at(start, 0), _at(end, 0)]
    lines = [
        _line(one, units.index(one.unit), place, start)
        for place, one in enumerate(drawn)
        if one.unit in units
    ]
    return {"data": lines, "layout": layout(xaxis=x, **changes)}


def _line(one: Series, panel: int, place: int, start: datetime) -> dict[str, Any]:
    spoken = ".1%" if one.unit == "share" else ".4s"
    return {
        "type": "scatter",
        "mode": "lines",
        "name": f"{one.name} ({one.source})",
        "x": [_at(start, seconds) for seconds in one.times.tolist()],
        "y": [value if np.isfinite(value) else None for value in one.values.tolist()],
        "yaxis": _axis("y", panel),
        "connectgaps": False,
        "hovertemplate": f"%{{x|%H:%M:%S}}<br>{_escaped(one.name)} %{{y:{spoken}}} {one.unit}<extra></extra>",
        "line": {
            "color": color(_COLORS[place % len(_COLORS)]),
            "dash": _DASHES[place // len(_COLORS) % len(_DASHES)],
            "width": 1.5,
        },
    }


def _escaped(text: str) -> str:
    """Plotly reads some tags and its own placeholders in hover texts."""
    return text.replace("<", "‹").replace("%{", "% {")


def _axis(name: str, number: int) -> str:
    return name if not number else f"{name}{number + 1}"


def _titled(unit: str) -> str:
    return {"share": "share", "": "value"}.get(unit, unit)


def _at(start: datetime, seconds: float) -> str:
    return (start + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")
