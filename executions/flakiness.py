"""Which tests can't be trusted, with what speaks for it; which ones broke, and since when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Max, Sum

from access.models import Project
from executions.counting import last_runs
from executions.flaky_rules import FlakyTest, History, judge, judged_of
from executions.models import CaseStatistics, ResultSet, SameCode
from executions.models.statistics import Standing
from executions.querysets import CaseStatisticsQuerySet
from executions.recent import LENGTH

MOST = 2_000  # candidates that are looked at closely


def rank_flaky(
    project: Project, *, space: str = "", threshold: float = 0.0, window: int = 50
) -> list[FlakyTest]:
    """Return the tests that both passed and failed in their last `window` runs, the surest first.

    A test that did so on the same code, but more rarely than its last runs show, stays in the list until
    `executions.flaky_rules.is_trusted_again`.

    Args:
        space: `local`, `ci`, or empty for each of them.
        threshold: failure rate in percent from which a test is listed.
        window: runs of each test that are looked at.
    """
    rows = CaseStatistics.objects.in_project(project).in_space(space).unstable()
    listed = list(rows.order_by("-same_code", "-flips", "-last_failure_at").values_list(*_LOOKED_AT)[:MOST])
    longer = _longer(listed, window) if window > LENGTH else {}
    found = []
    for case, nodeid, suite, where, letters, failed, error, passed, xpassed, *rest in listed:
        history = History(letters, failed + error, passed + xpassed + failed + error, *rest)
        name = (case, nodeid, suite, where)
        one = judge(name, longer.get((case, where), letters)[-window:], history, threshold=threshold)
        if one is not None:
            found.append(one)
    return sorted(found, key=lambda one: one.rank)


_LOOKED_AT = (
    *("case_id", "case__nodeid", "case__suite", "space", "recent", "failed", "error", "passed", "xpassed"),
    *("same_code", "retries", "last_run_at", "last_failure_at"),
)


def _longer(listed: Iterable[tuple[Any, ...]], window: int) -> dict[tuple[int, str], str]:
    """The letters of more runs than are kept ready, read from the rows."""
    by_space: defaultdict[str, list[int]] = defaultdict(list)
    for case, _, _, space, *_ in listed:
        by_space[space].append(case)
    found = {}
    for space, cases in by_space.items():
        for case, runs in last_runs(cases, space, window).items():
            found[(case, space)] = "".join(letter for letter, *_ in runs)
    return found


@dataclass(frozen=True, slots=True)
class Broken:
    """A test that fails now, run after run: since when, and the commit of the first run that failed."""

    case: int
    nodeid: str
    suite: str
    space: str
    since: datetime | None
    failures: int
    commit: str = ""


def broken(project: Project, *, space: str = "", most: int = 200) -> list[Broken]:
    """Return the tests whose last runs all failed, and which flicker not; the newest breaks first."""
    rows = CaseStatistics.objects.in_project(project).failing()
    listed = _settled(rows, space, "[FE]$", most)
    commits = _commits(project, {row["changed_at"] for row in listed})
    found = []
    for row in listed:
        judged = judged_of(row["recent"])
        found.append(
            Broken(
                case=row["case_id"],
                nodeid=row["case__nodeid"],
                suite=row["case__suite"],
                space=row["space"],
                since=row["changed_at"],
                failures=len(judged) - len(judged.rstrip("FE")),
                commit=commits.get((row["space"], row["changed_at"]), ""),
            )
        )
    return found


def fixed(project: Project, *, space: str = "", most: int = 200) -> list[Broken]:
    """Return the tests that failed before and have passed since; the newest fixes first.

    `since` and `commit` are those of the first run that passed, `failures` those in the last runs before.
    """
    rows = CaseStatistics.objects.in_project(project).ever_failed().filter(standing=Standing.FAILED_BEFORE)
    listed = _settled(rows.exclude(changed_at=None), space, "[FE]{2}[SxMPp]*[Pp]$", most)
    commits = _commits(project, {row["changed_at"] for row in listed})
    return [
        Broken(
            case=row["case_id"],
            nodeid=row["case__nodeid"],
            suite=row["case__suite"],
            space=row["space"],
            since=row["changed_at"],
            failures=sum(letter in "FE" for letter in row["recent"]),
            commit=commits.get((row["space"], row["changed_at"]), ""),
        )
        for row in listed
    ]


def _settled(rows: CaseStatisticsQuerySet, space: str, end: str, most: int) -> list[dict[str, Any]]:
    """Tests that changed once or twice at most between well and not well, the latest change first."""
    rows = rows.in_space(space).filter(flips__lte=3, recent__regex=end)
    columns = ("case_id", "case__nodeid", "case__suite", "space", "changed_at", "recent")
    return list(rows.order_by(*_LATEST_CHANGE).values(*columns)[:most])


_LATEST_CHANGE = (F("changed_at").desc(nulls_last=True), "case__nodeid")


def _commits(project: Project, moments: set[datetime | None]) -> dict[tuple[str, datetime], str]:
    """The commit of the runs that began at some moments."""
    sets = ResultSet.objects.filter(project=project, started_at__in=[at for at in moments if at])
    columns = ("space", "started_at", "run__commit_sha")
    return {(space, at): commit for space, at, commit in sets.order_by("pk").values_list(*columns) if commit}


def summary(project: Project) -> dict[str, Any]:
    """Sums for the first glance: tests known, same-code proofs, the last of them."""
    rows = SameCode.objects.filter(case__project=project, passes__gt=0)
    return rows.aggregate(codes=Count("pk"), failures=Sum("failures"), last_at=Max("last_at"))
