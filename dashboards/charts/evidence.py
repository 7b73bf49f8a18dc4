"""The picture behind a bottleneck.  Plain data in, Plotly dictionaries out."""

from __future__ import annotations

from typing import Any

from dashboards.charts.theme import color, layout


def evidence_figure(picture: dict[str, Any]) -> dict[str, Any]:
    """Draw what a rule saw: bars with the accused one marked, or a line with its limit and a second line.

    `picture` is that of `performance.rules.base`: kind, x, y, x_title, y_title, and perhaps limit, mark,
    second (n,) with second_title.
    """
    axes = {
        "xaxis": {"title": {"text": picture.get("x_title", "")}},
        "yaxis": {"title": {"text": picture.get("y_title", "")}, "rangemode": "tozero"},
    }
    if picture.get("kind") == "bars":
        return {"data": [_bars(picture)], "layout": layout(height=220, showlegend=False, **axes)}
    data = [_line(picture["x"], picture["y"], picture.get("y_title", ""), "execution", "y")]
    if picture.get("second"):
        title = picture.get("second_title", "")
        is_apart = _unit(title) != _unit(picture.get("y_title", ""))
        data.append(_line(picture["x"], picture["second"], title, "queue", "y2" if is_apart else "y"))
        if is_apart:
            axes["yaxis2"] = {
                "overlaying": "y",
                "side": "right",
                "rangemode": "tozero",
                "title": {"text": title},
                "showgrid": False,
                "automargin": True,
            }
    shapes = [_limit(picture["limit"])] if picture.get("limit") is not None else []
    return {"data": data, "layout": layout(height=220, showlegend=len(data) > 1, shapes=shapes, **axes)}


def _bars(picture: dict[str, Any]) -> dict[str, Any]:
    mark = picture.get("mark")
    return {
        "type": "bar",
        "x": picture["x"],
        "y": picture["y"],
        "marker": {"color": [color("failed" if name == mark else "execution") for name in picture["x"]]},
        "hovertemplate": "%{x}: %{y:.4g}<extra></extra>",
    }


def _line(x: list[Any], y: list[Any], name: str, token: str, axis: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name or "fitted",
        "x": x,
        "y": y,
        "yaxis": axis,
        "hovertemplate": "%{x:.4g}: %{y:.4g}<extra></extra>",
        "line": {"color": color(token), "width": 1.5},
        "marker": {"size": 4},
    }


def _limit(value: float) -> dict[str, Any]:
    line = {"color": color("failed"), "width": 1.5, "dash": "dot"}
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": value, "y1": value, "line": line}


def _unit(title: str) -> str:
    """The unit in a title, as in "latency (s)"."""
    return title.rpartition("(")[2].rstrip(")")
