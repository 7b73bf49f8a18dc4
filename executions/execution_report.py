"""Reports of the one history: how tests did in a window of days, and a desk against CI."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Count, F, Max, Q, Sum

from access.models import Project
from analysis.proportions import wilson_interval
from executions.flakiness import rank_flaky
from executions.models import CaseStatistics, Result, ResultSet
from executions.querysets import COUNTS
from executions.sides import Side, compare_sides
from tracking.models import Space

MOST = 50  # rows of a list in a report that people read
SLOW = 20
DAYS = 14  # that branches are looked at
KINDS = ("newly_failing", "fixed", "added", "removed", "slower", "faster", "still_failing", "added_failing")
CHANGE = ("nodeid", "suite", "base", "head", "base_duration", "head_duration")
EVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Line:
    """One test in one space; times in seconds, rates 0 to 1."""

    nodeid: str
    suite: str
    space: str
    runs: int
    passed: int
    failed: int
    error: int
    skipped: int
    failure_rate: float | None
    rate_low: float | None
    rate_high: float | None
    mean: float | None
    last_run_at: datetime | None
    last_failure_at: datetime | None


def lines(project: Project, *, space: str = "", since: datetime | None = None) -> Iterator[Line]:
    """Yield every test of each space, the most often failing first; since a moment, or ever."""
    if since is None:
        rows = CaseStatistics.objects.in_project(project).in_space(space).select_related("case")
        for row in rows.order_by(-(F("failed") + F("error")), "case__nodeid").iterator(chunk_size=2000):
            counts = {name: getattr(row, name) for name in COUNTS}
            yield _line(
                (row.case.nodeid, row.case.suite, row.space),
                counts,
                row.mean,
                row.last_run_at,
                row.last_failure_at,
            )
        return
    yield from _since(project, space, since)


def _since(project: Project, space: str, since: datetime) -> Iterator[Line]:
    rows = Result.objects.counted().filter(set__project=project, started_at__gte=since)
    if space:
        rows = rows.filter(set__space=space)
    counts: Any = {name: Count("case_id", filter=Q(outcome=code)) for code, name in enumerate(COUNTS)}
    found: Any = rows.values("case__nodeid", "case__suite", "set__space").annotate(
        **counts,
        seconds=Sum("duration"),
        timed=Count("duration"),
        last=Max("started_at"),
        last_bad=Max("started_at", filter=Q(outcome__in=[1, 2])),
    )
    worst_first = found.order_by("-failed", "-error", "case__nodeid")
    for row in worst_first.iterator(chunk_size=2000):
        name = (row["case__nodeid"], row["case__suite"], row["set__space"])
        mean = row["seconds"] / row["timed"] if row["timed"] else None
        yield _line(name, {word: row[word] for word in COUNTS}, mean, row["last"], row["last_bad"])


def _line(
    name: tuple[str, str, str],
    counts: dict[str, int],
    mean: float | None,
    last: datetime | None,
    last_bad: datetime | None,
) -> Line:
    bad = counts["failed"] + counts["error"]
    judged = bad + counts["passed"] + counts["xpassed"]
    interval = wilson_interval(bad, judged)
    return Line(
        nodeid=name[0],
        suite=name[1],
        space=name[2],
        runs=sum(counts.values()),
        passed=counts["passed"],
        failed=counts["failed"],
        error=counts["error"],
        skipped=counts["skipped"],
        failure_rate=bad / judged if judged else None,
        rate_low=interval[0] if interval else None,
        rate_high=interval[1] if interval else None,
        mean=mean,
        last_run_at=last,
        last_failure_at=last_bad,
    )


def execution_data(
    project: Project, *, space: str = "", window: int | None = None, now: datetime
) -> dict[str, Any]:
    """Return the report of test executions as one dictionary; `window` is in days, None for all time."""
    since = now - timedelta(days=window) if window else None
    listed = list(lines(project, space=space, since=since))
    sets = ResultSet.objects.filter(project=project)
    if since is not None:
        sets = sets.filter(started_at__gte=since)
    if space:
        sets = sets.filter(space=space)
    counted = sets.aggregate(runs=Count("pk"), **{name: Sum(name, default=0) for name in COUNTS})
    judged = counted["passed"] + counted["xpassed"] + counted["failed"] + counted["error"]
    bad = counted["failed"] + counted["error"]
    interval = wilson_interval(bad, judged)
    return {
        "project": project.slug,
        "space": space or "all",
        "window_days": window,
        "generated_at": now,
        "runs": counted.pop("runs"),
        "executions": counted,
        "failure_rate": bad / judged if judged else None,
        "rate_low": interval[0] if interval else None,
        "rate_high": interval[1] if interval else None,
        "tests": [asdict(line) for line in listed],
        "flaky": _flaky(project, space),
        "slowest": [
            {"nodeid": line.nodeid, "space": line.space, "mean": line.mean}
            for line in sorted(listed, key=lambda line: -(line.mean or 0))[:SLOW]
            if line.mean
        ],
    }


def _flaky(project: Project, space: str) -> list[dict[str, Any]]:
    names = ("nodeid", "space", "kind", "failure_rate", "evidence")
    found = rank_flaky(project, space=space)[:MOST]
    return [{name: getattr(one, name) for name in names} for one in found]


def comparison_data(project: Project, *, window: int | None = None, now: datetime) -> dict[str, Any]:
    """Return each test that ran at a desk and in CI, with how it did in both; the widest apart first."""
    since = now - timedelta(days=window) if window else None
    by_name: defaultdict[tuple[str, str], dict[str, Line]] = defaultdict(dict)
    for line in lines(project, since=since):
        by_name[(line.nodeid, line.suite)][line.space] = line
    both = [_pair(name, found) for name, found in by_name.items() if len(found) == len(Space.values)]
    both.sort(key=lambda row: (-abs(row["rate_difference"] or 0), row["nodeid"]))
    return {
        "project": project.slug,
        "window_days": window,
        "generated_at": now,
        "only_local": sum(set(found) == {"local"} for found in by_name.values()),
        "only_ci": sum(set(found) == {"ci"} for found in by_name.values()),
        "both": len(both),
        "tests": both,
    }


def branch_data(
    project: Project, base: Side, head: Side, *, window: int | None = None, now: datetime
) -> dict[str, Any]:
    """Return what changed from one branch (or space) to another: one row for each test that did."""
    days = window or DAYS
    found = compare_sides(project, base, head, since=now - timedelta(days=days))
    rows = [
        {"change": kind, **{name: getattr(change, name) for name in CHANGE}}
        for kind in KINDS
        for change in getattr(found.tests, kind)
    ]
    return {
        "project": project.slug,
        "base": str(base),
        "head": str(head),
        "window_days": days,
        "generated_at": now,
        "base_runs": found.base_runs,
        "head_runs": found.head_runs,
        "compared": found.tests.compared,
        "counts": {kind: len(getattr(found.tests, kind)) for kind in KINDS},
        "tests": rows,
    }


def _pair(name: tuple[str, str], found: dict[str, Line]) -> dict[str, Any]:
    local, ci = found["local"], found["ci"]
    difference = None
    if local.failure_rate is not None and ci.failure_rate is not None:
        difference = ci.failure_rate - local.failure_rate
    ratio = ci.mean / local.mean if ci.mean and local.mean else None
    return {
        "nodeid": name[0],
        "suite": name[1],
        "local_runs": local.runs,
        "ci_runs": ci.runs,
        "local_failure_rate": local.failure_rate,
        "ci_failure_rate": ci.failure_rate,
        "rate_difference": difference,
        "sure": _apart(local, ci),
        "local_mean": local.mean,
        "ci_mean": ci.mean,
        "duration_ratio": ratio,
    }


def _apart(local: Line, ci: Line) -> bool:
    """Whether the intervals of the two failure rates do not even touch."""
    if None in (local.rate_low, ci.rate_low):
        return False
    return bool(local.rate_high < ci.rate_low or ci.rate_high < local.rate_low)  # type: ignore[operator]


def as_csv(rows: list[dict[str, Any]]) -> str:
    """Return rows as CSV; what a spreadsheet would take for a formula is kept from being one."""
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]) if rows else ["nodeid"], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(value) for name, value in row.items()})
    return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return "'" + value
    return value.isoformat() if isinstance(value, datetime) else value
