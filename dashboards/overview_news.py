"""What waits for somebody, from all of the one history: tests, batches of edits, loads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max
from django.urls import reverse

from access.models import Project
from analysis.wording import count
from batches.models import BatchRun
from dashboards.templatetags.durations import duration
from executions.flakiness import broken
from performance.models import ChangePoint

MOST = 5  # of each kind; the rest is behind a link


@dataclass(frozen=True, slots=True)
class Item:
    """One line: where it leads, what is wrong, and since when."""

    url: str
    name: str
    text: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class News:
    """Lines of one kind, and the page that has all of them."""

    title: str
    url: str
    items: list[Item]


def load(project: Project) -> list[News]:
    """Return what is to be looked at, kind by kind, in four queries; kinds without anything are left out."""
    found = [_tests(project), _batches(project), _loads(project)]
    return [news for news in found if news.items]


def _tests(project: Project) -> News:
    items = [
        Item(
            reverse("case", args=[one.case]),
            one.nodeid,
            f"{count(one.failures, 'failure')} in a row {_where(one.space)}"
            + (f", since {one.commit[:7]}" if one.commit else ""),
            one.since,
        )
        for one in broken(project, most=MOST)
    ]
    return News("Broken tests", reverse("flaky"), items)


def _batches(project: Project) -> News:
    """The workspaces whose latest whole run failed."""
    runs = BatchRun.objects.filter(workspace__project=project, pattern="", batch__isnull=False)
    latest = runs.order_by().values("workspace").annotate(last=Max("pk")).values("last")
    red = BatchRun.objects.filter(pk__in=latest, success=False).select_related("batch", "workspace")
    items = [
        Item(
            f"{reverse('batch', args=[run.batch.number])}?workspace={run.workspace_id}",
            f"batch {run.batch.number} of {run.workspace.root}",
            run.trouble or f"{run.failed_tests} of {count(run.total_tests, 'test')} failed",
            run.started_at,
        )
        for run in red.order_by("-started_at")[:MOST]
        if run.batch is not None
    ]
    return News("Red batches", reverse("batches"), items)


def _loads(project: Project) -> News:
    alarms = ChangePoint.objects.open_alarms().filter(workload__project=project, is_worse=True)
    items = [
        Item(
            reverse("workload", args=[one.workload.name]) + "#changes",
            one.workload.name,
            f"{one.metric} {one.ratio:.2f} ×" + (f", now {duration(one.after)}" if one.unit == "s" else ""),
            one.first_run.started_at,
        )
        for one in alarms.select_related("workload", "first_run")[:MOST]
    ]
    return News("Slower loads", reverse("performance"), items)


def _where(space: str) -> str:
    return "at a desk" if space == "local" else "in CI"
