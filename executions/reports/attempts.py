"""Several rows of one test: tries that belong together, and names that were reported twice."""

from __future__ import annotations

from array import array
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Sequence

from executions.reports.base import WORST_FIRST, CaseOutcome, Outcome, ReportFacts

HELD = 4 << 20  # characters of what waiting tests say, beyond which the oldest wait no longer
WINDOW = 5_000  # tests between two tries of one test; other workers of pytest-xdist run meanwhile
_RANK: dict[str, int] = {outcome: rank for rank, outcome in enumerate(WORST_FIRST)}
_BITS = 0b111  # of an entry, for the rank


def worst(first: Outcome, second: Outcome) -> Outcome:
    return first if _RANK[first] <= _RANK[second] else second


class Ledger:
    """The outcome that decides of every test so far, in 8 to 24 bytes a test.

    An open-addressing table of 64-bit words: 61 bits of the name's hash (two of ten million tests share
    one with a chance of 1 in 50,000), 3 of the outcome.
    """

    def __init__(self) -> None:
        self._words = array("Q", bytes(8 * 1024))
        self._mask = 1023
        self._used = 0
        self._tried: dict[tuple[str, str], int] = {}

    def is_later(self, outcome: CaseOutcome) -> bool:
        """Whether it is of a later try of its target than all of its test before, which it replaces."""
        if not outcome.tries_before:
            return False
        identity = (outcome.suite, outcome.nodeid)
        before = self._tried.get(identity, 0)
        self._tried[identity] = max(before, outcome.tries_before)
        return outcome.tries_before > before

    def settle(
        self, identity: tuple[str, str], outcome: Outcome, *, replaces: bool = False
    ) -> Outcome | None:
        """Keep the worst outcome of `identity`, or this one; return that before, None for a new test."""
        key = hash(identity) & 0xFFFF_FFFF_FFFF_FFF8
        word = key | (_RANK[outcome] + 1)
        words, mask = self._words, self._mask
        place = (key >> 3) & mask
        while known := words[place]:
            if known & ~_BITS == key:
                before = WORST_FIRST[(known & _BITS) - 1]
                kept = outcome if replaces else worst(before, outcome)
                words[place] = key | (_RANK[kept] + 1)
                return before
            place = (place + 1) & mask
        words[place] = word
        self._used += 1
        if self._used * 3 > mask * 2:
            self._grow()
        return None

    def _grow(self) -> None:
        old = self._words
        mask = self._mask = self._mask * 2 + 1
        words = self._words = array("Q", bytes(8 * (mask + 1)))
        for word in old:
            if word:
                place = (word >> 3) & mask
                while words[place]:
                    place = (place + 1) & mask
                words[place] = word


def counted(
    outcomes: Iterable[CaseOutcome], facts: ReportFacts, ledger: Ledger | None = None
) -> Iterator[CaseOutcome]:
    """Pass `outcomes` on, counting cases, attempts, retried, duplicates and unplaced into `facts`.

    `ledger` knows the tests of the files before; of those that come again only what changes is counted.
    """
    ledger = ledger or Ledger()
    settle = ledger.settle
    cases = facts.cases
    for outcome in outcomes:
        facts.attempts += 1
        if not outcome.is_final:
            yield outcome
            continue
        facts.seconds += outcome.duration or 0.0
        is_later = ledger.is_later(outcome)
        before = settle((outcome.suite, outcome.nodeid), outcome.outcome, replaces=is_later)
        if before is not None:
            facts.duplicates += 1
            facts.retried += is_later
            cases[before] -= 1
            cases[outcome.outcome if is_later else worst(before, outcome.outcome)] += 1
            yield outcome._replace(is_duplicate=True)
            continue
        cases[outcome.outcome] += 1
        facts.retried += outcome.attempt > 1
        facts.unplaced += not outcome.is_placed
        yield outcome
    facts.cases = Counter({word: number for word, number in cases.items() if number})


class Tries:
    """Puts the tries of a test together that pytest-rerunfailures wrote as equal `<testcase>` elements.

    pytest writes an element for every try, and one of a try that was run again looks passed: it has no
    child.  A failure and an error in teardown after it are two elements of one try.
    """

    def __init__(self, window: int = WINDOW) -> None:
        self._window = window
        self._held = 0
        self._waiting: OrderedDict[str, list[CaseOutcome]] = OrderedDict()

    def add(self, outcome: CaseOutcome) -> Sequence[CaseOutcome]:
        """Take the next element; return the rows of a test of which no more is expected."""
        waiting = self._waiting
        rows = waiting.get(outcome.nodeid)
        if rows is None:
            waiting[outcome.nodeid] = [outcome]
            if len(waiting) > self._window:
                return self._oldest()
        elif outcome.outcome == "error" and outcome.message.startswith("failed on teardown"):
            rows[-1] = _with_teardown(rows[-1], outcome)
        else:
            rows.append(outcome)
        if outcome.stdout or outcome.stderr or outcome.details:
            self._held += outcome.text_length
            if self._held > HELD:
                return self._oldest()
        return ()

    def _oldest(self) -> list[CaseOutcome]:
        rows = self._waiting.popitem(last=False)[1]
        self._held = max(self._held - sum(row.text_length for row in rows), 0)
        return _tries(rows)

    def rest(self) -> Iterator[CaseOutcome]:
        """Yield what still waits: the suite has ended."""
        while self._waiting:
            yield from self._oldest()


def _with_teardown(row: CaseOutcome, teardown: CaseOutcome) -> CaseOutcome:
    return row._replace(
        outcome="error",
        duration=(row.duration or 0.0) + (teardown.duration or 0.0),
        message=row.message or teardown.message,
        details="\n\n".join(filter(None, [row.details, f"{teardown.message}\n{teardown.details}"])),
        stdout=row.stdout or teardown.stdout,
        stderr=row.stderr or teardown.stderr,
    )


def _tries(rows: list[CaseOutcome]) -> list[CaseOutcome]:
    last = len(rows)
    return rows if last == 1 else [_try(row, number, last) for number, row in enumerate(rows, 1)]


def _try(row: CaseOutcome, number: int, last: int) -> CaseOutcome:
    if number < last and row.outcome == "passed":
        row = row._replace(outcome="failed", message="failed and was run again")
    return row._replace(attempt=number, is_final=number == last)
