"""Which edit broke it: reruns of the failing tests at recorded states, until one answer is sure enough.

Tests can be flaky, so one rerun proves little.  Each hypothesis (edit k broke it, nobody did and the test
is flaky, it was broken before) has a probability that every rerun changes by Bayes' rule; the failure rate
of the flaky test is unknown and integrated over a grid.  The next rerun is at the state that is expected
to tell most.  A rerun at a state tells of all tests at once; each keeps its own account.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from math import log2

RATES = (0.002, 0.01, 0.03, 0.05, 0.1, 0.2, 0.35, 0.5)  # how often a flaky test fails without a reason
WEIGHTS = (0.22, 0.2, 0.15, 0.13, 0.12, 0.1, 0.05, 0.03)
ALWAYS = 0.995  # a broken test fails
SURE = 0.99
KNOWN_FLAKY = 0.65  # where it failed in earlier runs, whose code was fine as far as is known
TRUST = 0.3  # of a run in the past, seen from one of now: other code, another day
FLAKY, BEFORE = 0.5, 0.02  # how probable it is beforehand that nobody is to blame, or somebody before
MOST_RERUNS = 40


@dataclass(frozen=True)
class Verdict:
    """`edit` is the position to blame (from 1), or None where nobody is or nothing is sure.

    `suspicion` has the probability of each edit; `cleared` that of nobody; `before` that it was broken before
    the batch; `is_sure` that the highest of them reached SURE.
    """

    edit: int | None
    suspicion: tuple[float, ...]
    cleared: float
    before: float
    reruns: int
    is_sure: bool

    @property
    def was_before(self) -> bool:
        return self.is_sure and self.before >= SURE


@dataclass
class _Account:
    """What is known of one test: weights by hypothesis (0: nobody, the edits, the last: before) and rate."""

    rows: list[list[float]]
    heard: list[tuple[int, bool]] = field(default_factory=list)

    @classmethod
    def begin(cls, edits: int, history: tuple[int, int], flaky: float) -> _Account:
        rates = _rates_after(*history)
        flaky = max(flaky, KNOWN_FLAKY) if history[1] else flaky
        shares = [flaky, *[(1 - flaky - BEFORE) / edits] * edits, BEFORE]
        return cls([[share * weight for weight in rates] for share in shares])

    @property
    def edits(self) -> int:
        return len(self.rows) - 2

    def chance(self, hypothesis: int, rate: float, state: int) -> float:
        """How probable a failure at `state` is."""
        if hypothesis > self.edits:
            return ALWAYS
        return ALWAYS if hypothesis and state >= hypothesis else rate

    def learn(self, state: int, failed: bool) -> None:
        self.heard.append((state, failed))
        total = 0.0
        for hypothesis, row in enumerate(self.rows):
            for column, rate in enumerate(RATES):
                chance = self.chance(hypothesis, rate, state)
                row[column] *= chance if failed else 1 - chance
                total += row[column]
        for row in self.rows:
            row[:] = [value / total for value in row]

    @property
    def totals(self) -> list[float]:
        return [sum(row) for row in self.rows]

    @property
    def is_sure(self) -> bool:
        return max(self.totals) >= SURE

    def gain(self, state: int) -> float:
        """Bits that a rerun at `state` is expected to tell about who is to blame."""
        failing = [
            sum(value * self.chance(hypothesis, rate, state) for value, rate in zip(row, RATES, strict=True))
            for hypothesis, row in enumerate(self.rows)
        ]
        totals = self.totals
        passing = [total - part for total, part in zip(totals, failing, strict=True)]
        return _entropy(totals) - _entropy(failing) - _entropy(passing)

    def verdict(self, reruns: int) -> Verdict:
        totals = self.totals
        best = max(range(len(totals)), key=totals.__getitem__)
        is_edit = self.is_sure and 1 <= best <= self.edits
        return Verdict(
            best if is_edit else None, tuple(totals[1:-1]), totals[0], totals[-1], reruns, self.is_sure
        )


def find_culprits(
    edits: int,
    tests: Collection[str],
    failing_at: Callable[[int, Collection[str]], Collection[str]],
    *,
    history: Mapping[str, tuple[int, int]] | None = None,
    prior_flaky: float = FLAKY,
) -> dict[str, Verdict]:
    """Search the states 0 (before the first edit) to `edits` (after the last one) for each of `tests`.

    Each has failed once at the last state; that is known from the start.

    Args:
        failing_at: runs the named tests at a state and returns those that failed.
        history: how often a test ran and failed before this batch, where that is known.
        prior_flaky: how probable it is beforehand that nobody is to blame.

    Raises:
        ValueError: no edits.
    """
    if edits < 1:
        raise ValueError("A batch without edits has no culprit.")
    accounts = {}
    for test in sorted(tests):
        accounts[test] = _Account.begin(edits, (history or {}).get(test, (0, 0)), prior_flaky)
        accounts[test].learn(edits, True)
    reruns = 0
    while reruns < MOST_RERUNS:
        open_ones = [test for test, account in accounts.items() if not account.is_sure]
        if not open_ones:
            break
        state = _most_telling(edits, [accounts[test] for test in open_ones])
        failed = failing_at(state, open_ones)
        for test in open_ones:
            accounts[test].learn(state, test in failed)
        reruns += 1
    return {test: account.verdict(len(account.heard) - 1) for test, account in accounts.items()}


def find_culprit(
    edits: int,
    fails_at: Callable[[int], bool],
    *,
    history: tuple[int, int] = (0, 0),
    prior_flaky: float = FLAKY,
) -> Verdict:
    """The same for one test, or for several as one."""
    found = find_culprits(
        edits,
        [""],
        lambda state, _: [""] if fails_at(state) else [],
        history={"": history},
        prior_flaky=prior_flaky,
    )
    return found[""]


def _most_telling(edits: int, accounts: Collection[_Account]) -> int:
    """The state whose rerun tells most about all of them; tests that went the same way are counted once."""
    kinds = {(tuple(account.heard), tuple(account.rows[0])): account for account in accounts}
    return max(range(edits + 1), key=lambda state: sum(one.gain(state) for one in kinds.values()))


def _rates_after(runs: int, failures: int) -> list[float]:
    weighted = [
        weight * (rate**failures * (1 - rate) ** (runs - failures)) ** TRUST
        for weight, rate in zip(WEIGHTS, RATES, strict=True)
    ]
    total = sum(weighted)
    return [weight / total for weight in weighted] if total > 0 else list(WEIGHTS)


def _entropy(parts: list[float]) -> float:
    """Entropy of a distribution, times its weight."""
    weight = sum(parts)
    return sum(-part * log2(part / weight) for part in parts if part > 0) if weight > 0 else 0.0
