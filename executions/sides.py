"""A branch or a space as one side of a comparison: the latest result of each of its tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from access.models import Project
from executions.comparison import ResultComparison, compare_decided
from executions.models import ResultSet
from executions.packs import Decided, decided_of, newest_of

MOST_SETS = 500  # of the newest in the window
MOST_READ = 40  # whose results are read: one for each source, and what partial runs left out
PARTIAL = 0.5  # a run with less than this share of an earlier one's tests says nothing of the others


@dataclass(frozen=True, slots=True)
class Side:
    """What is compared; an empty branch or space is any."""

    branch: str = ""
    space: str = ""

    def __str__(self) -> str:
        where = {"local": "at desks", "ci": "in CI"}.get(self.space, "")
        return " ".join(filter(None, [self.branch or ("" if where else "everything"), where]))


@dataclass(frozen=True, slots=True)
class SideComparison:
    """Two sides compared, and the runs that each was taken from, the newest first."""

    tests: ResultComparison
    base_runs: list[str]
    head_runs: list[str]


def compare_sides(project: Project, base: Side, head: Side, *, since: datetime) -> SideComparison:
    """Compare the latest results of two branches or spaces within a window.

    Of each source (definition, environment and CI job) the latest run counts.  Where that one was partial,
    as a desk's `-k` makes it, earlier ones stand for the tests that it left out.  So a test that was
    taken out of the code is removed, although older runs had it.
    """
    before, base_runs = _latest(project, base, since)
    after, head_runs = _latest(project, head, since)
    return SideComparison(
        compare_decided(before, after, head.space or base.space or "ci"), base_runs, head_runs
    )


def _latest(project: Project, side: Side, since: datetime) -> tuple[Decided, list[str]]:
    chosen = list(_chosen(project, side, since))
    return newest_of(map(decided_of, chosen)), [one.run.test_run_id for one in chosen]


def _chosen(project: Project, side: Side, since: datetime) -> Iterator[ResultSet]:
    """The sets that stand for a side, the newest first."""
    sets = ResultSet.objects.filter(project=project, started_at__gte=since, run__excluded_at=None)
    if side.branch:
        sets = sets.filter(run__branch=side.branch)
    if side.space:
        sets = sets.filter(space=side.space)
    known: dict[tuple[object, ...], int] = {}
    read = 0
    for found in sets.select_related("run").order_by("-started_at", "-id")[:MOST_SETS]:
        run = found.run
        source = (
            run.definition_id,
            run.environment_id,
            str(run.metadata.get("workflow")),  # anybody may send metadata, of any shape
            str(run.metadata.get("job")),
        )
        if not found.total or known.get(source, -1) >= PARTIAL * found.total:
            continue
        known[source] = max(found.total, known.get(source, 0))
        read += 1
        yield found
        if read == MOST_READ:
            return
