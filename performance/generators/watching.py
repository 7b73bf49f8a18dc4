"""Once a second: say how it goes, and see whether the target, or the generator itself, gives way."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from performance.generators.base import End, write_json
from performance.samples import ERRORS, NOT_CONNECTED, WARM_UP
from performance.specified import LoadSpec

WINDOW = 3  # seconds that decide whether the target gave way
LOOKED_AT = 4000  # rows of a second that its percentiles are taken from
LATE = 0.005  # seconds; a generator that is later than this for one send in twenty may be the limit
_EDGES = np.concatenate([[0.0], np.geomspace(1e-6, 100.0, 400)])


@dataclass(slots=True)
class Lags:
    """How far behind their intended times requests were sent, as counts in buckets of 5 %."""

    counts: np.ndarray = field(default_factory=lambda: np.zeros(len(_EDGES), np.int64))
    total: float = 0.0
    n: int = 0
    worst: float = 0.0

    def add(self, lags: list[float]) -> None:
        if lags:
            values = np.maximum(np.asarray(lags), 0.0)
            self.counts += np.bincount(np.searchsorted(_EDGES[1:], values), minlength=len(_EDGES))
            self.total += float(values.sum())
            self.n += len(values)
            self.worst = max(self.worst, float(values.max()))

    def quantile(self, q: float) -> float:
        if not self.n:
            return 0.0
        place = int(np.searchsorted(np.cumsum(self.counts), q * self.n))
        return float(min(_EDGES[min(place + 1, len(_EDGES) - 1)], self.worst))

    @property
    def mean(self) -> float:
        return self.total / self.n if self.n else 0.0

    def as_facts(self) -> dict[str, float]:
        named = {f"p{name}": self.quantile(q) for name, q in ((50, 0.5), (95, 0.95), (99, 0.99))}
        return {**{key: round(value, 6) for key, value in named.items()}, "max": round(self.worst, 6)}


class Watch:
    """Counts what ends, writes progress.json, and tells when it is time to stop."""

    def __init__(self, spec: LoadSpec, folder: Path) -> None:
        self.spec, self.folder = spec, folder
        self.requests = self.errors = self.answered = 0
        self.latency_sum = 0.0
        self.lags = Lags()
        self.window: deque[tuple[int, int, np.ndarray]] = deque(maxlen=WINDOW)
        self.refused_in_a_row = 0
        self.cpu_seconds, self.cpu_shares = _cpu(), list[float]()
        self.looked_at = time.perf_counter()

    def tick(
        self,
        at: float,
        rows: np.ndarray,
        lags: list[float],
        ages: list[float],
        cpu: float | None = None,
    ) -> End | None:
        """Take in one second; return why the load must end now, if it must.

        Args:
            at: seconds since the load's start.
            rows: what ended since the last call, (n,) of `SAMPLE`.
            lags: seconds by which each measured send since then was late.
            ages: how long each request in flight has been waiting, in seconds.
            cpu: share of a core that was used, where it is not this process that sends.
        """
        self.lags.add(lags)
        bad = (rows["flags"] & ERRORS) != 0
        measured = (rows["flags"] & WARM_UP) == 0
        self.requests += int(measured.sum())
        self.errors += int((bad & measured).sum())
        self.answered += int((rows["status"] > 0).sum())
        self.latency_sum += float(rows["latency"][measured].sum())
        timed = rows["latency"][(rows["flags"] & NOT_CONNECTED) == 0]
        self.window.append((len(rows), int(bad.sum()), timed[:: max(1, len(timed) // LOOKED_AT)]))
        if len(rows) and ((rows["flags"] & NOT_CONNECTED) != 0).all():
            self.refused_in_a_row += 1
        elif len(rows):
            self.refused_in_a_row = 0
        self._write(at, rows, timed, ages, lags, cpu)
        return self._gone() or self._on_its_knees(at, ages)

    def _write(
        self,
        at: float,
        rows: np.ndarray,
        timed: np.ndarray,
        ages: list[float],
        lags: list[float],
        cpu: float | None,
    ) -> None:
        now = time.perf_counter()
        seconds, self.looked_at = max(now - self.looked_at, 1e-6), now
        used = _cpu()
        share, self.cpu_seconds = (used - self.cpu_seconds) / seconds, used
        share = share if cpu is None else cpu
        self.cpu_shares.append(share)
        p50, p95 = (float(value) for value in np.quantile(timed, [0.5, 0.95])) if len(timed) else (None, None)
        progress = {
            "at": round(at, 3),
            "seconds": self.spec.total_seconds,
            "is_warmup": at < self.spec.warmup,
            "requests": self.requests,
            "errors": self.errors,
            "rate": round(len(rows) / seconds, 2),
            "p50": p50,
            "p95": p95,
            "in_flight": len(ages),
            "behind": round(max(lags, default=0.0), 6),
            "cpu": round(share, 3),
        }
        with contextlib.suppress(OSError):  # a full disk ends the load by its samples
            write_json(self.folder / "progress.json", progress)

    def _gone(self) -> End | None:
        if self.refused_in_a_row < WINDOW:
            return None
        text = f"The target can't be reached any more: for {self.refused_in_a_row} s no connection held."
        return End("error", text)

    def _on_its_knees(self, at: float, ages: list[float]) -> End | None:
        abort = self.spec.abort
        if at < self.spec.warmup + abort.after or len(self.window) < WINDOW:
            return None
        ended, bad = sum(row[0] for row in self.window), sum(row[1] for row in self.window)
        if abort.error_share is not None and ended >= 10 and bad / ended >= abort.error_share:
            return End("aborted", f"{bad / ended:.0%} of the requests of the last {WINDOW} s were errors.")
        if abort.p95 is None:
            return None
        # Who waits still has waited at least as long as now.
        waiting = [age for age in ages if age >= abort.p95]
        times = np.concatenate([*(row[2] for row in self.window), np.asarray(waiting, np.float32)])
        if len(times) >= 10 and (p95 := float(np.quantile(times, 0.95))) >= abort.p95:
            return End("aborted", f"The 95th percentile of the last {WINDOW} s was {p95:.3g} s.")
        return None

    @property
    def cpu(self) -> float:
        """Share of one core that this process used, in the median second; 1 is a whole core."""
        return float(np.median(self.cpu_shares)) if self.cpu_shares else 0.0

    def limit(self, *, left_unsent: int = 0) -> str:
        """Why the generator, not the target, was the limit; empty where it kept up."""
        done = self.requests or 1
        if left_unsent > max(10, 0.05 * done):
            return f"The generator could not send {left_unsent:,} of the requests in time."
        mean = self.latency_sum / max(1, self.lags.n)
        late = self.lags.quantile(0.95)
        if late > LATE and self.lags.mean > 0.2 * mean:
            return (
                f"The generator was behind: one request in twenty was sent {late * 1000:.1f} ms late or "
                f"more, and lateness makes {self.lags.mean / mean:.0%} of the mean response time."
            )
        if self.cpu >= 0.95 and self.lags.mean > 0.05 * mean:
            return f"The generator used {self.cpu:.0%} of a core, all that one process can have."
        return ""


def _cpu() -> float:
    return time.process_time()
