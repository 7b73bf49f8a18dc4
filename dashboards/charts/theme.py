"""What all figures have in common.  Colors are names of CSS variables, which charts.js looks up and redraws
when the reader changes the theme."""

from __future__ import annotations

from typing import Any


def color(token: str) -> str:
    """Return the placeholder of a token of static/css/site.css; charts.js puts its value there."""
    return f"var(--{token})"


def layout(**changes: Any) -> dict[str, Any]:
    """Return the layout of every figure, with `changes` to its top level."""
    axis = {
        "gridcolor": color("line"),
        "zerolinecolor": color("line"),
        "linecolor": color("line"),
        "automargin": True,
    }
    base: dict[str, Any] = {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 12, "color": color("muted")},
        "margin": {"l": 48, "r": 16, "t": 8, "b": 40},
        "height": 260,
        "hoverlabel": {
            "bgcolor": color("raised"),
            "bordercolor": color("line"),
            "font": {"color": color("text")},
        },
        # From its lower edge up: on a narrow screen its lines would lie over the drawing.
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1.02,
            "yanchor": "bottom",
            "font": {"color": color("text")},
        },
        "xaxis": dict(axis),
        "yaxis": dict(axis),
    }
    for key, value in changes.items():
        base[key] = (
            {**base[key], **value} if isinstance(value, dict) and isinstance(base.get(key), dict) else value
        )
    return base
