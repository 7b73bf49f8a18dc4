"""All optimizations of a workload together: how much better it has become by them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from performance.models import Optimization, Workload
from performance.optimization import PRIMARY, figure_of
from performance.verdicts import Verdict, product


@dataclass(frozen=True, slots=True)
class Total:
    """`ratio` is the product over `counted`, with its 95 % interval; None where nothing is known.

    `overlapping` pairs names whose runs were made in the same time, or are the same: the effect of one is
    partly that of the other, and the product then counts it twice.
    """

    metric: str
    counted: list[str]
    ratio: float | None
    low: float | None
    high: float | None
    overlapping: list[tuple[str, str]]

    @property
    def sentence(self) -> str:
        if self.ratio is None or self.low is None or self.high is None:
            return "No optimization has been measured yet."
        many = f"{len(self.counted)} optimizations together" if len(self.counted) > 1 else self.counted[0]
        told = f"{many}: {self.metric} {self.ratio:.3f} × ({self.low:.3f} to {self.high:.3f})."
        if self.overlapping:
            pairs = "; ".join(f"{one} and {two}" for one, two in self.overlapping)
            told += f" These overlap in time, so a part of their effect counts twice: {pairs}."
        return told

    def as_json(self) -> dict[str, Any]:
        names = ("metric", "counted", "ratio", "low", "high")
        told = {name: getattr(self, name) for name in names}
        return {**told, "overlapping": [list(pair) for pair in self.overlapping], "answer": self.sentence}


def total_effect(workload: Workload) -> Total:
    """Return the product of all measured ratios of `workload`, oldest optimization first."""
    rows = list(workload.optimizations.order_by("created_at", "pk").prefetch_related("sides__run"))
    known = [(row, figure_of(row)) for row in rows]
    known = [
        (row, figure) for row, figure in known if figure.get("error") is not None and figure.get("ratio")
    ]
    verdicts = [
        Verdict(0, 0, ratio=figure["ratio"], error=figure["error"], freedom=figure["freedom"])
        for _, figure in known
    ]
    found = product(verdicts)
    ratio, low, high = found or (None, None, None)
    return Total(
        PRIMARY, [row.name for row, _ in known], ratio, low, high, _overlapping([row for row, _ in known])
    )


def _overlapping(rows: Sequence[Optimization]) -> list[tuple[str, str]]:
    """Names of those whose times between their first run before and last run after meet."""
    spans = [(row.name, *_span(row)) for row in rows]
    return [
        (one, two)
        for place, (one, begin, end) in enumerate(spans)
        for two, other_begin, other_end in spans[place + 1 :]
        if begin < other_end and other_begin < end
    ]


def _span(row: Optimization) -> tuple[datetime, datetime]:
    times = [side.run.started_at for side in row.sides.all()]
    return min(times), max(times)
