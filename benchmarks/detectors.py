"""The detectors that others use, after their pages and their code's rules, to stand beside ours."""

from __future__ import annotations

import heapq
import itertools

import numpy as np

from analysis.changevotes import student_votes

Series = list[list[float]]
Found = list[list[int]]


def perfherder(series: Series) -> Found:
    """t > 7 over windows of 12 to 24 and 12, and an alert from 2 % on."""
    found = []
    for one in series:
        values = np.asarray(one)
        kept = []
        for index in student_votes(values):
            before, after = values[max(index - 24, 0) : index].mean(), values[index : index + 12].mean()
            if before and abs(after / before - 1) >= 0.02:
                kept.append(index)
        found.append(kept)
    return found


def rolling_z(series: Series) -> Found:
    """A point more than three deviations from the 20 before it begins a level; repeats within 5 are one."""
    return [
        _starts(one, 20, lambda back, value: abs(value - np.mean(back)) > 3 * np.std(back, ddof=1))
        for one in series
    ]


def seed_rule(series: Series) -> Found:
    """More than 50 % over (or a third under) the median of the last 20."""
    return [
        _starts(one, 20, lambda back, value: not 2 / 3 <= value / (np.median(back) or 1) <= 1.5)
        for one in series
    ]


def _starts(one: list[float], window: int, stands_out) -> list[int]:
    found: list[int] = []
    for index in range(window, len(one)):
        if stands_out(one[index - window : index], one[index]) and (not found or index - found[-1] > 5):
            found.append(index)
    return found


def asv_like(series: Series) -> Found:
    """Steps as asv makes them: least absolute deviations and a price for each step; 5 % at least."""
    return [_potts(one) for one in series]


def _potts(one: list[float]) -> list[int]:
    n = len(one)
    if n < 4:
        return []
    costs = [_costs_from(one, start) for start in range(n)]
    spread = float(np.abs(np.diff(one)).mean()) or 1e-12
    best: tuple[float, list[int]] = (np.inf, [])
    for price in spread * np.geomspace(0.5, n, 8):
        edges, deviation = _cheapest(costs, n, float(price))
        criterion = 4 * np.log(n) / n * len(edges) + np.log(deviation / n + 0.1 * spread)
        if criterion < best[0]:
            best = (float(criterion), edges)
    ends = [*best[1], n]
    levels = [float(np.median(one[start:end])) for start, end in itertools.pairwise([0, *ends])]
    steps = zip(best[1], levels, levels[1:], strict=False)
    return [edge for edge, before, after in steps if abs(after - before) >= 0.05 * abs(before)]


def _costs_from(one: list[float], start: int) -> list[float]:
    """Sums of absolute deviations from the median of start:end for every end, from two heaps."""
    low: list[float] = []  # a heap of the lower half, negated; `high` of the upper one
    high: list[float] = []
    below = above = 0.0
    costs = []
    for value in one[start:]:
        if low and value < -low[0]:
            heapq.heappush(low, -value)
            below += value
        else:
            heapq.heappush(high, value)
            above += value
        while len(low) < len(high):
            moved = heapq.heappop(high)
            heapq.heappush(low, -moved)
            above, below = above - moved, below + moved
        while len(low) > len(high) + 1:
            moved = -heapq.heappop(low)
            heapq.heappush(high, moved)
            above, below = above + moved, below - moved
        middle = -low[0]
        costs.append(middle * len(low) - below + above - middle * len(high))
    return costs


def _cheapest(costs: list[list[float]], n: int, price: float) -> tuple[list[int], float]:
    least, come_from = [0.0], [0]
    for end in range(1, n + 1):
        options = [least[start] + price + costs[start][end - start - 1] for start in range(end)]
        start = int(np.argmin(options))
        least.append(options[start])
        come_from.append(start)
    edges, deviation, end = [], 0.0, n
    while end:
        start = come_from[end]
        deviation += costs[start][end - start - 1]
        if start:
            edges.append(start)
        end = start
    return edges[::-1], deviation


def nothing(series: Series) -> Found:
    return [[] for _ in series]


ALL = {
    "Perfherder t>7": perfherder,
    "asv-like": asv_like,
    "rolling z>3": rolling_z,
    "50 % rule": seed_rule,
    "nothing": nothing,
}
