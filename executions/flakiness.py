"""Which tests can't be trusted, with what speaks for it.

Flaky is what both passed and failed on the same code.  What changed between well and not well across
changes of the code, without that proof, is only unstable: the changes may have broken and mended it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Sum

from access.models import Project
from analysis.proportions import wilson_interval
from executions.counting import last_runs
from executions.models import CaseStatistics, SameCode
from executions.querysets import pieces
from executions.recent import BAD, LENGTH, WELL, flips_of, state_of

QUIET = 64  # judged runs in a row without a failure, after which a test is trusted again
MOST = 2_000  # candidates that are looked at closely
FAILED = BAD | {"M"}


@dataclass(slots=True)
class FlakyTest:
    """A test in one space, over its last runs (`window`)."""

    case: int
    nodeid: str
    suite: str
    space: str
    runs: int
    failures: int
    judged: int
    flips: int
    same_code: int = 0  # codes on which it both passed and failed
    retries: int = 0  # runs in which it failed first and passed then
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


def rank_flaky(
    project: Project, *, space: str = "", threshold: float = 0.0, window: int = 50
) -> list[FlakyTest]:
    """Return the tests that both passed and failed in their last `window` runs, the surest first.

    Args:
        space: `local`, `ci`, or empty for each of them.
        threshold: failure rate in percent from which a test is listed.
        window: runs of each test that are looked at.
    """
    columns = ("case_id", "case__nodeid", "case__suite", "space", "recent", "last_failure_at")
    rows = CaseStatistics.objects.in_project(project).in_space(space).unstable()
    listed = list(rows.order_by("-flips", "-last_failure_at").values_list(*columns)[:MOST])
    longer = _longer(listed, window) if window > LENGTH else {}
    proofs = _proofs({row[0] for row in listed})
    found = []
    for case, nodeid, suite, of_space, recent, last_failure_at in listed:
        letters = longer.get((case, of_space), recent)[-window:]
        one = _judge(letters, case, nodeid, suite, of_space)
        one.same_code, one.retries = proofs.get((case, of_space), (0, 0))
        one.last_failure_at = last_failure_at
        if not one.judged or not 0 < one.failures < one.judged or one.failure_rate * 100 < threshold:
            continue
        if not one.same_code and one.flips < 2:
            continue  # it broke, or was mended, once: no flicker
        if is_quiet(letters):
            continue
        one.evidence = list(_evidence(one, window))
        found.append(one)
    return sorted(
        found, key=lambda one: (-one.same_code, -one.retries, -one.flips, -one.failure_rate, one.nodeid)
    )


def is_quiet(letters: str) -> bool:
    """Whether the last runs were all well for so long that an old failure accuses no more."""
    judged = [letter for letter in letters if letter in WELL or letter in BAD]
    return len(judged) >= QUIET and not any(letter in BAD for letter in judged[-QUIET:])


def _judge(letters: str, case: int, nodeid: str, suite: str, space: str) -> FlakyTest:
    judged = [letter for letter in letters if letter in WELL or letter in BAD]
    return FlakyTest(
        case=case,
        nodeid=nodeid,
        suite=suite,
        space=space,
        runs=len(letters),
        failures=sum(letter in BAD for letter in judged),
        judged=len(judged),
        flips=flips_of(letters),
        letters=letters,
    )


def _longer(listed: Iterable[tuple[Any, ...]], window: int) -> dict[tuple[int, str], str]:
    """The letters of more runs than are kept ready, read from the rows."""
    by_space: defaultdict[str, list[int]] = defaultdict(list)
    for row in listed:
        by_space[row[3]].append(row[0])
    found = {}
    for space, cases in by_space.items():
        for case, runs in last_runs(cases, space, window).items():
            found[(case, space)] = "".join(letter for letter, *_ in runs)
    return found


def _proofs(cases: set[int]) -> dict[tuple[int, str], tuple[int, int]]:
    """Per case and space: on how many codes it both passed and failed, and in how many runs by retry."""
    found: dict[tuple[int, str], tuple[int, int]] = {}
    for piece in pieces(cases):
        rows = SameCode.objects.filter(case_id__in=piece, passes__gt=0, failures__gt=0)
        for case, space, codes in (
            rows.values_list("case_id", "space").annotate(Count("pk")).order_by("case_id", "space")
        ):
            found[(case, space)] = (codes, 0)
        retried = rows.filter(code__startswith="run-")
        for case, space, runs in (
            retried.values_list("case_id", "space").annotate(Count("pk")).order_by("case_id", "space")
        ):
            found[(case, space)] = (found[(case, space)][0], runs)
    return found


def _evidence(one: FlakyTest, window: int) -> Iterable[str]:
    if one.same_code:
        codes = f"{one.same_code} state{'s' if one.same_code > 1 else ''} of the code"
        yield f"passed and failed on the same code, on {codes}"
    if one.retries:
        yield f"failed and then passed by retry in {one.retries} run{'s' if one.retries > 1 else ''}"
    if one.flips:
        yield f"changed {one.flips} times between passing and failing in its last {one.runs} runs"
    yield f"failed {one.failures} of {one.judged} times"


@dataclass(frozen=True, slots=True)
class Broken:
    """A test that fails now, run after run, and when that began."""

    case: int
    nodeid: str
    suite: str
    space: str
    since: datetime | None
    failures: int


def broken(project: Project, *, space: str = "", most: int = 200) -> list[Broken]:
    """Return the tests whose last runs all failed, and which flicker not; the newest breaks first."""
    rows = CaseStatistics.objects.in_project(project).in_space(space).filter(flips__lte=3)
    columns = ("case_id", "case__nodeid", "case__suite", "space", "changed_at", "recent")
    bad = rows.filter(recent__regex="[FE]$").order_by("-changed_at")
    found = []
    for case, nodeid, suite, of_space, since, recent in bad.values_list(*columns)[:most]:
        judged = "".join(letter for letter in recent if letter in WELL or letter in BAD)
        streak = len(judged) - len(judged.rstrip("FE"))
        found.append(Broken(case, nodeid, suite, of_space, since, streak))
    return found


def summary(project: Project) -> dict[str, Any]:
    """Sums for the first glance: tests known, same-code proofs, the last of them."""
    rows = SameCode.objects.filter(case__project=project, passes__gt=0)
    return rows.aggregate(codes=Count("pk"), failures=Sum("failures"), last_at=Max("last_at"))


def state_in_words(letters: str) -> str:
    """Return `passing`, `failing`, or `not judged`."""
    return {"well": "passing", "bad": "failing"}.get(state_of(letters), "not judged")
