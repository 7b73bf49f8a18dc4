"""Resources over the time of a run, one panel per unit.  Plain data in, Plotly dictionaries out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import numpy as np

from dashboards.charts.theme import color, layout

MOST_PANELS, APART = 7, 20
PANEL = 150  # pixels
_COLORS = ("execution", "queue", "passed", "error", "failed", "flaky")
_SCALES = {"bytes": ("MB", 1e-6), "bytes/s": ("MB/s", 1e-6)}
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
    panels = _panels([one for one in series if np.isfinite(one.values).any()])[:MOST_PANELS]
    height, gap = 1 / max(len(panels), 1), 0.05
    pixels = PANEL * max(len(panels), 1)
    changes: dict[str, Any] = {"height": 60 + pixels}
    lines: list[dict[str, Any]] = []
    for number, panel in enumerate(panels):
        top = 1 - number * height
        unit, scale = _SCALES.get(panel[0].unit, (panel[0].unit, 1.0))
        axis = {**layout()["yaxis"], "rangemode": "tozero", "title": {"text": unit or "value"}}
        axis["domain"] = [max(top - height + gap, 0), top]
        changes[_axis("yaxis", number)] = {**axis, **({"tickformat": ".0%"} if unit == "share" else {})}
        lines += [_line(one, number, len(lines) + place, start, scale) for place, one in enumerate(panel)]
    x: dict[str, Any] = {"anchor": _axis("y", max(len(panels) - 1, 0)), "type": "date"}
    if end and end > start:
        x["range"] = [_at(start, 0), _at(end, 0)]
    legend = {
        "orientation": "h",
        "x": 0,
        "y": -50 / pixels,
        "yanchor": "top",
    }  # a narrow page needs many lines
    return {"data": lines, "layout": layout(xaxis=x, legend=legend, **changes)}


def _panels(series: Sequence[Series]) -> list[list[Series]]:
    """Series by unit; what is far smaller than another one of its unit gets a panel in which it is seen."""
    panels: list[list[Series]] = []
    for unit in dict.fromkeys(one.unit for one in series):
        mine = sorted((one for one in series if one.unit == unit), key=_highest, reverse=True)
        for one in mine:
            fits = panels and panels[-1][0].unit == unit
            if fits and (unit == "share" or not 0 < _highest(one) < _highest(panels[-1][0]) / APART):
                panels[-1].append(one)
            else:
                panels.append([one])
    return panels


def _highest(one: Series) -> float:
    return float(np.nanmax(np.abs(one.values)))


def _line(one: Series, panel: int, place: int, start: datetime, scale: float) -> dict[str, Any]:
    unit, _ = _SCALES.get(one.unit, (one.unit, 1.0))
    spoken = "%{y:.1%}" if unit == "share" else f"%{{y:.4g}} {unit}"
    return {
        "type": "scatter",
        "mode": "lines",
        "name": f"{one.name} ({one.source})",
        "x": [_at(start, seconds) for seconds in one.times.tolist()],
        "y": [value * scale if np.isfinite(value) else None for value in one.values.tolist()],
        "yaxis": _axis("y", panel),
        "connectgaps": False,
        "hovertemplate": f"%{{x|%H:%M:%S}}<br>{_escaped(one.name)} {spoken}<extra></extra>",
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


def _at(start: datetime, seconds: float) -> str:
    return (start + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")
