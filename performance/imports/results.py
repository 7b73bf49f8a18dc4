"""What a measurement of another tool says, whatever the tool: one figure of one thing, in SI units."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

SECONDS, PER_SECOND = "s", "1/s"
MOST_VALUES = 50_000_000
MOST_NAMES = 1000  # of requests: with more of them, each has an id in it, and no figure says anything


class UnreadableResult(ValueError):
    """The file can't be read as a result; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Imported:
    """One figure (`metric`: latency, time, throughput) of one request, command or benchmark (`name`).

    `values` are the single measurements in the order in which they were made (float64, in `unit`), None where
    the tool wrote only a summary; what it did not write is None.  `errors` counts failed ones among the `n`,
    which is 0 where the tool did not tell it.  `is_whole`: it is of all requests of the file together.
    """

    tool: str
    name: str
    metric: str
    unit: str
    less_is_better: bool
    values: np.ndarray | None
    n: int
    mean: float | None = None
    p50: float | None = None
    p90: float | None = None
    p95: float | None = None
    p99: float | None = None
    p999: float | None = None
    errors: int = 0
    started_at: datetime | None = None
    is_whole: bool = False


def of_values(
    tool: str,
    name: str,
    values: Sequence[float] | np.ndarray,
    *,
    metric: str = "latency",
    unit: str = SECONDS,
    less_is_better: bool = True,
    errors: int = 0,
    started_at: datetime | None = None,
) -> Imported:
    """Sum up single measurements.

    Raises:
        UnreadableResult: one of them is not finite or is negative.
    """
    found = np.asarray(values, dtype=float)
    if not np.isfinite(found).all() or (found < 0).any():
        raise UnreadableResult(
            f"{tool}: {name!r} has a value that is negative or no number; measure it again"
        )
    p50, p90, p95, p99 = map(float, np.quantile(found, [0.5, 0.9, 0.95, 0.99])) if len(found) else (None,) * 4
    mean = float(found.mean()) if len(found) else None
    return Imported(
        tool,
        name,
        metric,
        unit,
        less_is_better,
        found,
        len(found),
        mean,
        p50,
        p90,
        p95,
        p99,
        errors=errors,
        started_at=started_at,
    )


def throughput(
    tool: str, name: str, n: int, seconds: float, started_at: datetime | None, *, is_whole: bool = False
) -> Imported:
    rate = n / seconds
    return Imported(
        tool,
        name,
        "throughput",
        PER_SECOND,
        False,
        None,
        n,
        mean=rate,
        p50=rate,
        started_at=started_at,
        is_whole=is_whole,
    )


@dataclass(slots=True)
class Requests:
    """Collects the latencies of a load test by the request's name: eight bytes each."""

    tool: str
    latencies: dict[str, array[float]] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    first: float | None = None
    last: float | None = None
    count: int = 0

    def add(self, name: str, seconds: float, sent_at: float | None, *, failed: bool) -> None:
        """Add one request; `sent_at` is seconds since 1970."""
        self.count += 1
        if self.count > MOST_VALUES:
            raise UnreadableResult(
                f"{self.tool}: more than {MOST_VALUES} requests in one file; split it by time"
            )
        if name not in self.latencies:
            if len(self.latencies) == MOST_NAMES:
                raise UnreadableResult(
                    f"{self.tool}: more than {MOST_NAMES:,} names of requests, as {name[:80]!r}; give "
                    "requests of one kind one name without ids in it (k6: the tag `name`, JMeter: the label)"
                )
            self.latencies[name] = array("d")
        self.latencies[name].append(seconds)
        if failed:
            self.errors[name] = self.errors.get(name, 0) + 1
        if sent_at is not None:
            self.first = sent_at if self.first is None else min(self.first, sent_at)
            end = sent_at + seconds
            self.last = end if self.last is None else max(self.last, end)

    def results(self) -> Iterator[Imported]:
        started = moment(self.first)
        span = (self.last or 0) - (self.first or 0)
        for name, latencies in self.latencies.items():
            values = np.frombuffer(latencies, dtype=float)
            errors = self.errors.get(name, 0)
            yield of_values(self.tool, name, values, errors=errors, started_at=started)
            if span > 0:
                yield throughput(self.tool, name, len(values), span, started)


def moment(seconds: float | None) -> datetime | None:
    """Return the UTC time of seconds since 1970; None for none or one that no calendar has."""
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def moment_of_text(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def count(tool: str, value: object, what: str) -> int:
    """Return a count of the file; the same errors as `number`, and one for less than nothing."""
    found = number(tool, value, what)
    if found < 0:
        raise UnreadableResult(f"{tool}: {what} is {value!r}, less than nothing; was the file edited?")
    return int(found)


def number(tool: str, value: object, what: str) -> float:
    """Return a number of the file.

    Raises:
        UnreadableResult: it is missing, no number, or not finite.
    """
    if value is None:
        raise UnreadableResult(f"{tool}: {what} is missing; measure it again, or leave it out")
    try:
        found = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        found = None
    if found is None or isinstance(value, bool):
        raise UnreadableResult(f"{tool}: {what} is {value!r}, not a number; was the file cut off or edited?")
    if not np.isfinite(found):
        word = "NaN (not a number)" if np.isnan(found) else "infinite"
        raise UnreadableResult(
            f"{tool}: {what} is {word}, which is no measurement; measure it again, or leave it out"
        )
    return found
