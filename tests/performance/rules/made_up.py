"""Runs as they could have been measured, made of random numbers; what a test is about is changed."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from typing import Any

import numpy as np

from performance.measured import Measured
from performance.sources.base import Series

KINDS = ("catalog", "product", "cart", "checkout")
SHARES = (0.4, 0.4, 0.1, 0.1)
PARTS = {"database": 0.003, "rendering": 0.002, "lock": 0.00001}  # seconds, medians
SIGMA = 0.5  # of the logarithm: a quarter of all take 1.4 times the median or more


def measured(
    *,
    seed: int = 1,
    rates: tuple[float, ...] = (20, 60, 150),
    seconds: float = 5.0,
    tells: bool = True,
    add: dict[str, Any] | None = None,
    **changes: Any,
) -> Measured:
    """Return a healthy run of steps, with what `add` says on top.

    Args:
        rates: requests per second, a step of `seconds` each.
        tells: whether the target sends Server-Timing.
        add: seconds by part; a function of (rates (n,), times (n,), kinds (n,)) or a number.  The part
            `waiting` is of none, `untold` is of the target and no part.
        changes: fields of the run, replaced.
    """
    chance = np.random.default_rng(seed)
    intended, offered = _arrivals(chance, rates, seconds)
    n = len(intended)
    kinds = chance.choice(len(KINDS), n, p=SHARES)
    noise = {name: typical * chance.lognormal(0, SIGMA, n) for name, typical in PARTS.items()}
    extra = {name: np.zeros(n) for name in ("waiting", "untold")}
    _add(add or {}, noise, extra, (offered, intended, kinds))
    total = sum(noise.values()) + extra["untold"] + 0.0002
    latency = total + extra["waiting"] + 0.001 * chance.lognormal(0, SIGMA, n)
    edges = (np.arange(len(rates) + 1) * seconds).tolist()
    made = Measured(
        requests=KINDS,
        intended=intended,
        latency=latency,
        request=kinds,
        status=np.full(n, 200),
        error=np.zeros(n, bool),
        unanswered=np.zeros(n, bool),
        parts={**noise, "total": total} if tells else {},
        spans=tuple(pairwise(edges)),
    )
    return dataclasses.replace(made, **changes)


def _add(wanted: dict[str, Any], noise: dict, extra: dict, of: tuple) -> None:
    for name, more in wanted.items():
        place = extra if name in extra else noise
        place[name] = place.get(name, 0) + (more(*of) if callable(more) else np.full(len(of[0]), more))


def with_errors(run: Measured, share: Any, *, status: int = 500, seed: int = 5) -> Measured:
    """Return the run with errors; `share` is a number or a function of the times (n,)."""
    chance = np.random.default_rng(seed)
    wrong = chance.random(run.n) < (share(run.intended) if callable(share) else share)
    return dataclasses.replace(
        run, error=wrong, status=np.where(wrong, status, run.status), unanswered=wrong & (status == 0)
    )


def halted(run: Measured, moments: list[tuple[float, float]]) -> Measured:
    """Return the run on a machine that stood still at (time, seconds): who came meanwhile waited."""
    late = np.zeros(run.n)
    for at, length in moments:
        inside = (run.intended >= at) & (run.intended < at + length)
        late[inside] += at + length - run.intended[inside]
    where = np.random.default_rng(9).random(run.n)  # before the target took it up, or within a part
    parts = {
        name: times + late * (where < 0.5) * (name in {"database", "total"})
        for name, times in run.parts.items()
    }
    return dataclasses.replace(run, latency=run.latency + late, parts=parts)


def series(
    name: str, values: Any, *, unit: str = "share", full: float | None = None, seconds: float = 15.0
) -> Series:
    """Return a series over a run of `seconds`; `values` may be a function of the times (n,)."""
    times = np.arange(0.25, seconds, 0.25)
    given = values(times) if callable(values) else np.asarray(values, float)
    return Series(name, unit, times, np.broadcast_to(given, times.shape).astype(float), full)


def _arrivals(chance: Any, rates: tuple[float, ...], seconds: float) -> tuple[np.ndarray, np.ndarray]:
    pieces, offered = [], []
    for number, rate in enumerate(rates):
        n = chance.poisson(rate * seconds)
        pieces.append(np.sort(chance.random(n)) * seconds + number * seconds)
        offered.append(np.full(n, rate))
    return np.concatenate(pieces), np.concatenate(offered)
