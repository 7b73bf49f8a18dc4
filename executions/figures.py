"""The numbers that are shown of a case: rates with intervals, durations, the last outcomes in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from analysis.proportions import wilson_interval
from analysis.quantiles import quantile
from executions.models.statistics import CaseStatistics
from executions.querysets import COUNTS
from executions.recent import BAD, WELL, flips_of, known

WORDS = {
    "P": "passed",
    "F": "failed",
    "E": "error",
    "S": "skipped",
    "x": "xfailed",
    "p": "xpassed",
    "M": "failed",
}


@dataclass(slots=True)
class Figures:
    """A case in one space, or over both (`space` is `all`); times in seconds, rates 0 to 1."""

    space: str
    passed: int = 0
    failed: int = 0
    error: int = 0
    skipped: int = 0
    xfailed: int = 0
    xpassed: int = 0
    timed: int = 0
    duration_us: int = 0
    durations: list[float] = field(default_factory=list)
    letters: str = ""
    last_run_at: datetime | None = None
    last_failure_at: datetime | None = None
    last_change_at: datetime | None = None

    @property
    def runs(self) -> int:
        return sum(getattr(self, name) for name in COUNTS)

    @property
    def bad(self) -> int:
        return self.failed + self.error

    @property
    def judged(self) -> int:
        return self.passed + self.xpassed + self.bad

    @property
    def failure_rate(self) -> float | None:
        return self.bad / self.judged if self.judged else None

    @property
    def rate_low(self) -> float | None:
        interval = wilson_interval(self.bad, self.judged)
        return interval[0] if interval else None

    @property
    def rate_high(self) -> float | None:
        interval = wilson_interval(self.bad, self.judged)
        return interval[1] if interval else None

    @property
    def mean(self) -> float | None:
        return self.duration_us / 1e6 / self.timed if self.timed else None

    @property
    def p50(self) -> float | None:
        """Over the last 64 durations of each space."""
        return quantile(self.durations, 0.5) if self.durations else None

    @property
    def p95(self) -> float | None:
        return quantile(self.durations, 0.95) if self.durations else None

    @property
    def flip_rate(self) -> float | None:
        """Changes between well and not well, over the possible ones among the last 64 runs."""
        judged = sum(letter in WELL or letter in BAD for letter in self.letters)
        return flips_of(self.letters) / (judged - 1) if judged > 1 else None

    @property
    def recent(self) -> list[str]:
        """The last outcomes, oldest first."""
        return [WORDS[letter] for letter in self.letters]

    @property
    def state(self) -> str:
        """`well`, `bad`, or empty."""
        for letter in reversed(self.letters):
            if letter in WELL or letter in BAD:
                return "well" if letter in WELL else "bad"
        return ""


def figures_of(row: CaseStatistics) -> Figures:
    """Return the figures of one case in one space."""
    return Figures(
        space=row.space,
        **{name: getattr(row, name) for name in (*COUNTS, "timed", "duration_us")},
        durations=known(bytes(row.durations)),
        letters=row.recent,
        last_run_at=row.last_run_at,
        last_failure_at=row.last_failure_at,
        last_change_at=row.changed_at,
    )


def together(rows: Iterable[CaseStatistics], letters: str | None = None) -> Figures:
    """Return the figures of a case over all spaces.

    `letters` are its last runs in order over both; without them, those of the space that ran last.
    """
    parts = [figures_of(row) for row in rows]
    total = Figures(space="all")
    for part in parts:
        for name in (*COUNTS, "timed", "duration_us"):
            setattr(total, name, getattr(total, name) + getattr(part, name))
        total.durations += part.durations
        for name in ("last_run_at", "last_failure_at", "last_change_at"):
            mine, other = getattr(total, name), getattr(part, name)
            setattr(total, name, max((at for at in (mine, other) if at), default=None))
    ran = [(part.last_run_at.timestamp(), part.letters) for part in parts if part.last_run_at]
    total.letters = letters if letters is not None else max(ran, default=(0.0, ""))[1]
    return total
