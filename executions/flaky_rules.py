"""When a test is called flaky: rules over letters and counts, without a database.

Flaky is what both passed and failed on the same code.  What changed between well and not well across
changes of the code, without that proof, is only unstable: the changes may have broken and fixed it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from analysis.proportions import wilson_interval
from executions.recent import BAD, flips_of

QUIET = 64  # judged runs in a row without a failure, after which most tests are trusted again
CHANCE = 0.05  # ... unless a test that fails as rarely as this one would do that this often by luck
FORGOTTEN = timedelta(days=30)  # without a failure, though the test ran: trusted again however rare they were

_UNJUDGED = str.maketrans("", "", "SxM")
_STRETCH = re.compile("[FE]{2}")


@dataclass(frozen=True, slots=True)
class History:
    """What is known of a test in one space over all its runs; `letters` are its last 64."""

    letters: str
    failures: int = 0
    judged: int = 0
    same_code: int = 0  # codes on which it both passed and failed
    retries: int = 0  # runs in which it failed first and passed then
    last_run_at: datetime | None = None
    last_failure_at: datetime | None = None


@dataclass(slots=True)
class FlakyTest:
    """A test in one space, over its last runs (`window`), or over all where it fails more rarely."""

    case: int
    nodeid: str
    suite: str
    space: str
    runs: int
    failures: int
    judged: int
    flips: int
    same_code: int = 0
    retries: int = 0
    last_failure_at: datetime | None = None
    letters: str = ""
    evidence: list[str] = field(default_factory=list)

    @property
    def kind(self) -> str:
        return "flaky" if self.same_code else "unstable"

    @property
    def failure_rate(self) -> float:
        return self.failures / self.judged

    @property
    def rate_low(self) -> float:
        interval = wilson_interval(self.failures, self.judged)
        return interval[0] if interval else 0.0

    @property
    def rate_high(self) -> float:
        interval = wilson_interval(self.failures, self.judged)
        return interval[1] if interval else 1.0

    @property
    def flip_rate(self) -> float:
        return self.flips / (self.judged - 1) if self.judged > 1 else 0.0

    @property
    def rank(self) -> tuple[int, int, int, float, str]:
        """The surest first."""
        return -self.same_code, -self.retries, -self.flips, -self.failure_rate, self.nodeid


def judge(
    name: tuple[int, str, str, str], letters: str, history: History, *, threshold: float = 0.0
) -> FlakyTest | None:
    """Return what speaks against a test, or None where nothing does.

    Args:
        name: case, nodeid, suite, space.
        letters: its last runs, as many as are looked at; see `executions.recent`.
        threshold: failure rate in percent from which a test is accused.
    """
    judged = judged_of(letters)
    failures = judged.count("F") + judged.count("E")
    one = FlakyTest(*name, len(letters), failures, len(judged), flips_of(letters))
    one.same_code, one.retries = history.same_code, history.retries
    one.last_failure_at, one.letters = history.last_failure_at, letters
    if is_trusted_again(history):
        return None
    if not failures:
        if not one.same_code or not history.failures:
            return None
        one.failures, one.judged = history.failures, history.judged
    if not 0 < one.failures < one.judged or one.failure_rate * 100 < threshold:
        return None
    if not one.same_code and one.flips < 2:
        return None  # it broke, or was fixed, once: no flicker
    if not one.same_code and not threshold and one.flips == 2 and _STRETCH.search(judged):
        return None  # it broke and was fixed: worth a line only for who asks by the rate
    if one.flips == 1 and not one.retries and judged.endswith(("FF", "EE", "FE", "EF")):
        return None  # it has failed since one change: a break, even if that came without new code
    one.evidence = list(_evidence(one, is_rare=not failures))
    return one


def is_trusted_again(history: History) -> bool:
    """Whether it was well for so long that its old failures accuse it no more.

    A test that fails in 1 of 200 runs passes 64 times in a row most of the time: that clears only what
    fails so often that it would be luck, or what has not failed for 30 days in which it ran.
    """
    judged = judged_of(history.letters)[-QUIET:]
    if len(judged) < QUIET or any(letter in BAD for letter in judged):
        return False
    rate = history.failures / history.judged if history.judged else 0.0
    if not history.same_code or (1 - rate) ** QUIET < CHANCE:
        return True
    first, last = history.last_failure_at, history.last_run_at
    return first is None or last is None or last - first > FORGOTTEN


def judged_of(letters: str) -> str:
    """Return the runs that say whether the test is well."""
    return letters.translate(_UNJUDGED)


def _evidence(one: FlakyTest, *, is_rare: bool) -> Iterator[str]:
    if one.same_code:
        codes = f"{one.same_code} state{'s' if one.same_code > 1 else ''} of the code"
        yield f"passed and failed on the same code, on {codes}"
    if one.retries:
        yield f"failed and then passed by retry in {one.retries} run{'s' if one.retries > 1 else ''}"
    if one.flips:
        yield f"changed {one.flips} times between passing and failing in its last {one.runs} runs"
    if is_rare:
        yield f"failed {one.failures} of {one.judged} times in all, not in its last {one.runs} runs"
    else:
        yield f"failed {one.failures} of {one.judged} times"
