"""Questions about many workloads, runs, figures and changes."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q

from access.models import Project


class WorkloadQuerySet(models.QuerySet):
    """What load can be put on something."""

    def of(self, project: Project) -> Self:
        return self.filter(project=project)

    def in_use(self) -> Self:
        return self.filter(is_archived=False)

    def with_all(self) -> Self:
        """With what starting a run needs."""
        return self.select_related("project", "definition", "environment")


class WorkloadRunQuerySet(models.QuerySet):
    """Drives of workloads."""

    def of(self, project: Project) -> Self:
        return self.filter(run__project=project)

    def for_list(self) -> Self:
        return self.select_related("run__definition", "run__environment", "workload", "component")

    def for_driving(self) -> Self:
        """With what driving a run and closing it need."""
        return self.select_related(
            "run__project", "run__definition", "run__environment", "workload__project", "component"
        )

    def running(self) -> Self:
        return self.filter(run__status="running")

    def undriven(self, now: datetime) -> Self:
        """Going, and nobody holds the lease."""
        return self.running().filter(Q(run__driver_until=None) | Q(run__driver_until__lte=now))

    def judged(self) -> Self:
        """Fit for a series: measured whole, by a generator that kept up, not left out."""
        return self.filter(
            run__status__in=["passed", "failed"],
            run__excluded_at=None,
            summarized_at__isnull=False,
            generator_limit="",
            stopped_early="",
        )

    def unwatched(self) -> Self:
        """Ended, and nobody has looked yet what follows from them; oldest first."""
        return self.filter(watched_at=None).exclude(run__status="running").order_by("started_at")

    def for_series(self) -> Self:
        """With what tells whether runs are alike, and nothing of what they did."""
        wanted = ("run__metadata", "run__commit_sha", "run__branch", "run__environment_id", "run__status")
        times = ("run__test_run_id", "run__started_at", "run__completed_at", "started_at")
        return self.select_related("run").only(
            *wanted, *times, "workload_id", "component_id", "version", "tool"
        )


class MetricQuerySet(models.QuerySet):
    """Figures of workload runs."""

    def of_all_requests(self) -> Self:
        return self.filter(request="")


class MetricSeriesQuerySet(models.QuerySet):
    """Series over the time of runs."""

    def measured(self) -> Self:
        return self.filter(n__gt=0)


class GatheringQuerySet(models.QuerySet):
    """Runs whose series are read."""

    def due(self, now: datetime) -> Self:
        return self.filter(again_at__lte=now)


class ChangePointQuerySet(models.QuerySet):
    """Changes of level."""

    def open_alarms(self) -> Self:
        return self.filter(is_alarm=True, state="new")


class TrackRunQuerySet(models.QuerySet):
    """Runs of the whole track."""

    def running(self) -> Self:
        return self.filter(status="running")

    def for_page(self) -> Self:
        return self.select_related("project", "workload")
