"""What the page of several runs shows beside the comparison itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np

from dashboards.charts.comparison import distributions_figure
from dashboards.compared_timelines import Compared, draw_together
from dashboards.downloads import LIMIT
from dashboards.timeline import plain
from executions.comparison import ResultComparison, compare_results
from tracking.comparison import Comparisons, RunComparison, as_rows
from tracking.models import TestRun

LISTS = [
    ("Newly failing", "newly_failing"),
    ("New and failing", "added_failing"),
    ("Fixed", "fixed"),
    ("Slower", "slower"),
    ("Faster", "faster"),
    ("Added", "added"),
    ("Removed", "removed"),
]
MOST_TESTS = 100  # shown of each list


@dataclass(frozen=True, slots=True)
class Spread:
    """How the times of one part of one run lie; seconds, quantiles of type 7."""

    label: str
    part: str
    n: int
    least: float
    p25: float
    p50: float
    p75: float
    p95: float
    most: float


@dataclass(frozen=True, slots=True)
class Section:
    """One run against the base: its label, its times, and its tests."""

    label: str
    times: RunComparison
    tests: ResultComparison

    @property
    def lists(self) -> list[tuple[str, list[Any], int]]:
        """Title, the first rows and how many there are, of each list that has any."""
        found = ((title, getattr(self.tests, name)) for title, name in LISTS)
        return [(title, rows[:MOST_TESTS], len(rows)) for title, rows in found if rows]


@dataclass(frozen=True, slots=True)
class ComparePage:
    """Everything below the answer."""

    found: Comparisons
    named: list[tuple[str, TestRun]]  # label and run, the base first
    sections: list[Section]
    spreads: list[Spread]
    figure: dict[str, Any]
    timelines: Compared


def show(found: Comparisons, *, now: datetime) -> ComparePage:
    """Return the page of `found`."""
    heads = [one.head for one in found.found]
    labels = ["head"] if len(heads) == 1 else [f"head {number}" for number in range(1, len(heads) + 1)]
    named = list(zip(["base", *labels], [found.base, *heads], strict=True))
    times = list(zip(["base", *labels], found.measured, strict=True))
    return ComparePage(
        found=found,
        named=named,
        sections=[
            Section(label, one, compare_results(found.base, one.head))
            for label, one in zip(labels, found.found, strict=True)
        ],
        spreads=list(_spreads(times)),
        figure=distributions_figure([(label, one.queue, one.execution) for label, one in times]),
        timelines=draw_together([found.base, *heads], now=now),
    )


def rows_of(table: str, found: Comparisons, *, now: datetime) -> tuple[list[str], list[dict[str, Any]]]:
    """Return the columns and rows of one of `TABLES` for a file; seconds."""
    heads = [one.head for one in found.found]
    runs = [found.base, *heads]
    rows: list[dict[str, Any]]
    if table == "distributions":
        times = [(run.test_run_id, one) for run, one in zip(runs, found.measured, strict=True)]
        rows = [asdict(one) for one in _spreads(times)]
    elif table == "workflows":
        drawn = draw_together(runs, now=now, most=LIMIT // len(runs)).rows
        lines = [(run, line) for row in drawn for run, line in zip(runs, row.lines, strict=True) if line]
        rows = [{"run": run.test_run_id, **plain(line)} for run, line in lines]
    elif table == "tests":
        rows = [
            {"head_run": head.test_run_id, "change": name, **asdict(row), "ratio": row.ratio}
            for head, tests in [(head, compare_results(found.base, head)) for head in heads]
            for _, name in LISTS
            for row in getattr(tests, name)[:LIMIT]
        ]
    else:
        rows = list(as_rows(found))
    return list(rows[0]) if rows else [], rows


TABLES = ("times", "distributions", "workflows", "tests")


def _spreads(times: list[tuple[str, Any]]) -> Iterator[Spread]:
    for part in ("queue", "execution", "total"):
        for label, measured in times:
            values = getattr(measured, part)
            if values:
                points = np.quantile(values, [0, 0.25, 0.5, 0.75, 0.95, 1])
                yield Spread(label, part, len(values), *map(float, points))
