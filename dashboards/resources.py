"""How the machines felt during a run: series as lines of a table, and as rows of a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from analysis import columns
from analysis.wording import in_words
from performance.models import MetricSeries
from tracking.models import TestRun

OF_LOAD = "samples"  # what a load itself says has a page of its own
MOST = 60  # series on a page
COLUMNS = [
    "source",
    "series",
    "unit",
    "values",
    "lowest",
    "mean",
    "highest",
    "full_from",
    "full_share",
    "problem",
]
VALUE_COLUMNS = ["at", "seconds", "source", "series", "unit", "value"]
_SIZES = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1, "B"))


@dataclass(frozen=True)
class Resource:
    """One series of a run; times (n,) in seconds since its start, values (n,), gaps are NaN."""

    source: str
    name: str
    unit: str
    times: np.ndarray
    values: np.ndarray
    full_from: float | None
    problem: str

    @property
    def known(self) -> np.ndarray:
        return self.values[np.isfinite(self.values)]

    @property
    def full_share(self) -> float | None:
        """Share of the values that were at the limit; None where none is known."""
        if self.full_from is None or not len(self.known):
            return None
        return float((self.known >= self.full_from).mean())

    @property
    def figures(self) -> list[str]:
        """Lowest, mean and highest, in words."""
        if not len(self.known):
            return ["", "", ""]
        return [shown(value, self.unit) for value in (self.known.min(), self.known.mean(), self.known.max())]

    @property
    def limit(self) -> str:
        return "" if self.full_from is None else shown(self.full_from, self.unit)


def resources_of(run: TestRun) -> list[Resource]:
    """Return the series that were kept of a run, in one query."""
    rows = MetricSeries.objects.filter(run=run).exclude(source=OF_LOAD).order_by("source", "name")[:MOST]
    return [
        Resource(
            row.source,
            row.name,
            row.unit,
            columns.unpack(row.times),
            columns.unpack(row.values),
            row.saturated_at,
            row.problem,
        )
        for row in rows
    ]


def sentence(resources: Iterable[Resource]) -> str:
    """What to know of them in one sentence."""
    full = [one for one in resources if one.full_share]
    if not full:
        measured = [one for one in resources if len(one.known)]
        return "Nothing was at its limit." if measured else "Nothing could be read."
    named = [f"{one.name} {one.full_share:.0%} of the time" for one in full[:3]]
    return f"At the limit: {', '.join(named)}.".replace("%", " %")


def shown(value: float, unit: str) -> str:
    """A value with its unit, as people write it."""
    if unit == "share":
        return f"{value * 100:.1f} %"
    if unit == "s":
        return in_words(float(value))
    if unit.startswith("bytes"):
        size, name = next(((size, name) for size, name in _SIZES if abs(value) >= size), _SIZES[-1])
        return f"{value / size:.3g} {name}{unit.removeprefix('bytes')}"
    return f"{value:.3g} {unit}".strip()


def plain(resources: Iterable[Resource]) -> Iterator[dict[str, Any]]:
    """The lines of the table for a file."""
    for one in resources:
        known = one.known
        low, mean, high = (known.min(), known.mean(), known.max()) if len(known) else (None, None, None)
        yield {
            "source": one.source,
            "series": one.name,
            "unit": one.unit,
            "values": len(known),
            "lowest": _number(low),
            "mean": _number(mean),
            "highest": _number(high),
            "full_from": one.full_from,
            "full_share": one.full_share,
            "problem": one.problem,
        }


def values(resources: Iterable[Resource], start: datetime) -> Iterator[dict[str, Any]]:
    """The values behind the chart for a file; gaps are empty."""
    for one in resources:
        for seconds, value in zip(one.times.tolist(), one.values.tolist(), strict=True):
            yield {
                "at": start + timedelta(seconds=seconds),
                "seconds": round(seconds, 3),
                "source": one.source,
                "series": one.name,
                "unit": one.unit,
                "value": _number(value),
            }


def _number(value: Any) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value)
