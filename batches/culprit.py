"""Which edit broke it: reruns of the failing tests at recorded states, until one answer is sure enough.

Tests can be flaky, so one rerun proves little.  Each hypothesis (edit k broke it, or nobody did and the test
is flaky) has a probability that every rerun changes by Bayes' rule; the failure rate of the flaky test
is unknown and integrated over a grid.  The next rerun is at the state that is expected to tell most.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log2

RATES = (0.002, 0.01, 0.03, 0.05, 0.1, 0.2, 0.35, 0.5)  # how often a flaky test fails without a reason
WEIGHTS = (0.22, 0.2, 0.15, 0.13, 0.12, 0.1, 0.05, 0.03)
ALWAYS = 0.995  # a broken test fails
SURE = 0.99
MOST_RERUNS = 40


@dataclass(frozen=True)
class Verdict:
    """`edit` is the position to blame (from 1), or None where the batch is only flaky or nothing is sure.

    `suspicion` has the probability of each edit; `cleared` that of nobody; `is_sure` that it reached SURE.
    """

    edit: int | None
    suspicion: tuple[float, ...]
    cleared: float
    reruns: int
    is_sure: bool


def find_culprit(edits: int, fails_at: Callable[[int], bool], *, prior_flaky: float = 0.3) -> Verdict:
    """Search the states 0 (before the first edit) to `edits` (after the last one).

    The batch has failed once at its last state; that is known from the start.

    Args:
        fails_at: runs the failing tests at a state and tells whether they failed.
        prior_flaky: how probable it is beforehand that nobody is to blame.

    Raises:
        ValueError: no edits.
    """
    if edits < 1:
        raise ValueError("A batch without edits has no culprit.")
    weights = _begin(edits, prior_flaky)
    _learn(weights, edits, True)
    reruns = 0
    while reruns < MOST_RERUNS:
        totals = _totals(weights)
        if max(totals) >= SURE:
            break
        state = max(range(edits + 1), key=lambda each: _gain(weights, each))
        _learn(weights, state, fails_at(state))
        reruns += 1
    totals = _totals(weights)
    best = max(range(edits + 1), key=totals.__getitem__)
    is_sure = totals[best] >= SURE
    blamed = best if best and is_sure else None
    return Verdict(blamed, tuple(totals[1:]), totals[0], reruns, is_sure)


def _begin(edits: int, prior_flaky: float) -> list[list[float]]:
    """Weights by hypothesis (0: nobody) and failure rate."""
    shares = [prior_flaky, *[(1 - prior_flaky) / edits] * edits]
    return [[share * weight for weight in WEIGHTS] for share in shares]


def _chance(hypothesis: int, rate: float, state: int) -> float:
    """How probable a failure at `state` is."""
    return ALWAYS if hypothesis and state >= hypothesis else rate


def _learn(weights: list[list[float]], state: int, failed: bool) -> None:
    total = 0.0
    for hypothesis, row in enumerate(weights):
        for column, rate in enumerate(RATES):
            chance = _chance(hypothesis, rate, state)
            row[column] *= chance if failed else 1 - chance
            total += row[column]
    for row in weights:
        row[:] = [value / total for value in row]


def _totals(weights: list[list[float]]) -> list[float]:
    return [sum(row) for row in weights]


def _gain(weights: list[list[float]], state: int) -> float:
    """Bits that a rerun at `state` is expected to tell about who is to blame."""
    failing = [
        sum(value * _chance(hypothesis, rate, state) for value, rate in zip(row, RATES, strict=True))
        for hypothesis, row in enumerate(weights)
    ]
    totals = _totals(weights)
    passing = [total - part for total, part in zip(totals, failing, strict=True)]
    return _entropy(totals) - _entropy(failing) - _entropy(passing)


def _entropy(parts: list[float]) -> float:
    """Entropy of a distribution, times its weight."""
    weight = sum(parts)
    return sum(-part * log2(part / weight) for part in parts if part > 0) if weight > 0 else 0.0
