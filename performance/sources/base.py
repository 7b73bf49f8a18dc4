"""What every source of series has in common: a question, an answer on a grid of time, two errors."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np

MOST_POINTS = 600  # of one series in one run: what a chart can show, and far below any source's limit
_USER = re.compile(r"//[^/@\s]*@")  # who wrote user:password into an address keeps it out of all messages


class SourceUnavailable(Exception):
    """The source did not answer, or asks to come later; worth asking again."""


class SourceRefused(Exception):
    """The source can't answer this question; asking again changes nothing.  The message says what to do."""


@dataclass(frozen=True)
class Query:
    """What is asked of a source, in its own language; from `saturated_at` on it is full."""

    name: str
    query: str
    unit: str = ""
    saturated_at: float | None = None


@dataclass(frozen=True)
class Series:
    """Values (n,) at times (n,), Unix seconds in UTC on multiples of the step; gaps are NaN."""

    name: str
    unit: str
    times: np.ndarray
    values: np.ndarray
    saturated_at: float | None = None

    @property
    def n(self) -> int:
        """How many values are no gaps."""
        return int(np.isfinite(self.values).sum())


class MetricSource(Protocol):
    """A place that knows how machines felt."""

    def read(self, query: Query, start: datetime, end: datetime, step: float) -> Series:
        """Return the series of `query` from `start` to `end` (aware), a value every `step` seconds."""
        ...


def step_for(start: datetime, end: datetime, finest: float = 2.0) -> float:
    """Seconds between two values, so that a span has at most `MOST_POINTS`; a round number."""
    wanted = max((end - start).total_seconds() / MOST_POINTS, finest)
    for step in (2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600):
        if wanted <= step:
            return float(step)
    return math.ceil(wanted / 3600) * 3600.0


def grid_of(start: datetime, end: datetime, step: float) -> np.ndarray:
    """Times (n,) of a span, on multiples of `step`, from the last one at or before `start`."""
    first = math.floor(start.timestamp() / step)
    last = math.floor(end.timestamp() / step)
    return np.arange(first, last + 1, dtype=float) * step


def on_grid(times: np.ndarray, values: np.ndarray, grid: np.ndarray, step: float) -> np.ndarray:
    """Means of the values within each step of `grid`; NaN where there is none."""
    keep = np.isfinite(values)
    if not len(grid):
        return np.empty(0)
    place = np.floor((times[keep] - grid[0]) / step + 1e-9).astype(int)
    inside = (place >= 0) & (place < len(grid))
    sums = np.bincount(place[inside], weights=values[keep][inside], minlength=len(grid))
    counts = np.bincount(place[inside], minlength=len(grid))
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def without_secrets(text: str) -> str:
    """Return a message without the user and password of an address in it, at most 200 characters."""
    return _USER.sub("//", text)[:200]
