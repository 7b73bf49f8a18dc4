"""What speaks for a bottleneck, as a page shows it: a picture, its points, and the numbers behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dashboards.charts.evidence import evidence_figure
from performance.models import Bottleneck


@dataclass(frozen=True, slots=True)
class Evidence:
    """`points` are those of the picture, in the units of its titles; without a picture there are none."""

    found: Bottleneck
    figure: dict[str, Any] | None
    titles: list[str]
    points: list[tuple[Any, ...]]
    facts: list[tuple[str, Any]]

    @property
    def figure_id(self) -> str:
        return f"evidence-{self.found.rank}"


def evidence_of(found: Bottleneck) -> Evidence:
    """Return what speaks for a finding."""
    facts = [(name.replace("_", " "), value) for name, value in found.evidence.items() if name != "picture"]
    picture = found.evidence.get("picture") or {}
    if not picture.get("x"):
        return Evidence(found, None, [], [], facts)
    columns = [picture["x"], picture["y"]]
    titles = [picture.get("x_title", ""), picture.get("y_title", "")]
    if picture.get("second"):
        columns.append(picture["second"])
        titles.append(picture.get("second_title", ""))
    return Evidence(found, evidence_figure(picture), titles, list(zip(*columns, strict=False)), facts)
