"""Questions about many rows, each named as its answer."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Q


def _as_uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


class EnvironmentQuerySet(models.QuerySet[Any]):
    def in_project(self, project: Any) -> Self:
        return self.filter(project=project)


class DefinitionQuerySet(models.QuerySet[Any]):
    def in_project(self, project: Any) -> Self:
        return self.filter(project=project)


class TestRunQuerySet(models.QuerySet[Any]):
    __test__ = False

    def in_project(self, project: Any) -> Self:
        return self.filter(project=project)

    def running(self) -> Self:
        return self.filter(status="running")

    def ended(self) -> Self:
        return self.exclude(status="running")

    def counted(self) -> Self:
        """Runs that figures of several runs are made of: a curator left the others out."""
        return self.filter(excluded_at=None)

    def ended_badly(self) -> Self:
        """Runs that somebody has to look at: failed or broken."""
        return self.filter(status__in=["failed", "error"])

    def by_name(self, names: Iterable[str]) -> dict[str, Any]:
        """Return the runs that `names` name, each under the name that was used: test_run_id or UUID.

        A test_run_id may look like a UUID, because scripts choose their own.
        """
        keys = {name: _as_uuid(name) for name in names}
        known: dict[Any, Any] = {}
        for run in self.filter(Q(test_run_id__in=keys) | Q(pk__in=[key for key in keys.values() if key])):
            known[run.test_run_id] = known[run.pk] = run
        found = {name: known.get(name) or known.get(key) for name, key in keys.items()}
        return {name: run for name, run in found.items() if run is not None}

    def newest_first(self) -> Self:
        return self.order_by("-started_at", "-test_run_id")

    def undriven(self, now: datetime) -> Self:
        """Running runs that nobody drives, or whose driver went away."""
        return self.running().filter(Q(driver_until=None) | Q(driver_until__lte=now))

    def for_file(self) -> Self:
        """With what driving a run and writing its tracking file need."""
        return self.select_related("project", "definition", "environment", "rerun_of")

    def for_list(self) -> Self:
        """With what a row of a list shows, in one query."""
        return self.select_related("definition", "environment", "project", "timing")


class WorkflowRunQuerySet(models.QuerySet[Any]):
    def open(self) -> Self:
        """Workflows that have not ended, sent or not."""
        return self.filter(conclusion="")

    def unsent(self) -> Self:
        return self.filter(dispatch_state="intended", conclusion="")

    def sent(self) -> Self:
        """Workflows that the service has, had, or may have."""
        return self.exclude(dispatch_state__in=["intended", "refused"])

    def in_flight(self) -> Self:
        """Workflows that the service has, or may have, and that have not ended."""
        return self.open().exclude(dispatch_state="intended")

    def by_dispatch_id(self, dispatch_ids: list[str]) -> dict[str, Any]:
        """Those rows by their dispatch_id, with their attempts; in pieces, as SQLite bounds parameters."""
        found: dict[str, Any] = {}
        for begin in range(0, len(dispatch_ids), 500):
            rows = self.filter(dispatch_id__in=dispatch_ids[begin : begin + 500])
            found |= {row.dispatch_id: row for row in rows.select_related("run").prefetch_related("attempts")}
        return found

    def not_found(self) -> Self:
        """Workflows that the service may have, and of which it has shown nothing yet."""
        return self.open().filter(dispatch_state__in=["accepted", "unknown"], attempt=0, github_run_id=None)

    def latecomers(self) -> Self:
        """Workflows that turned up at the service when their run had been cancelled and closed."""
        late = self.filter(run__completed_at__isnull=False, run__cancel_requested_at__isnull=False)
        going = late.filter(attempts__number=F("attempt")).exclude(attempts__status="completed")
        return going.filter(github_run_id__isnull=False, cancel_asked_at=None).distinct()

    def due(self, now: datetime) -> Self:
        return self.unsent().filter(due_at__lte=now)

    def progress(self) -> dict[Any, dict[str, int]]:
        """Per run: how many workflows there are, are done, ended well, badly, or wait."""
        bad = ~Q(conclusion__in=["", "success", "neutral", "skipped", "cancelled"])
        rows = (
            self.values("run_id")
            .order_by()
            .annotate(
                workflows=Count("pk"),
                done=Count("pk", filter=~Q(conclusion="")),
                bad=Count("pk", filter=bad),
                cancelled=Count("pk", filter=Q(conclusion="cancelled")),
                unsent=Count("pk", filter=Q(dispatch_state="intended", conclusion="")),
            )
        )
        return {row.pop("run_id"): row for row in rows}


class AttemptQuerySet(models.QuerySet[Any]):
    def newest(self) -> Self:
        """The attempt that decides: the last one of each workflow."""
        return self.filter(number=F("workflow__attempt"))

    def job_counts(self, runs: Iterable[Any]) -> dict[tuple[Any, str], int]:
        """How many jobs a workflow file has in a run, by a first attempt whose jobs the service listed."""
        listed = self.filter(workflow__run__in=runs, number=1, is_whole=True, asked_at__isnull=False)
        rows = listed.values_list("workflow__run_id", "workflow__workflow_file").annotate(Count("jobs"))
        return {(run, file): jobs for run, file, jobs in rows.order_by("-pk")}

    def timed(self) -> Self:
        """Attempts in which something ran."""
        return self.filter(total__isnull=False)


class DeliveryQuerySet(models.QuerySet[Any]):
    def to_do(self) -> Self:
        """Messages that nothing was made of yet, oldest first."""
        return self.filter(state="received").order_by("id")

    def worked_on(self) -> Self:
        """Messages of which nothing more is to be made."""
        return self.exclude(state="received")

    def of_strangers(self) -> Self:
        """Messages of workflow runs that nobody knew when they came."""
        return self.filter(state="stranger").order_by("id")


class ScheduleQuerySet(models.QuerySet[Any]):
    def in_project(self, project: Any) -> Self:
        return self.filter(project=project)

    def due(self, now: datetime) -> Self:
        """Schedules whose tick has come, the longest waiting first."""
        return self.filter(enabled=True, next_at__lte=now).order_by("next_at", "pk")

    def for_list(self) -> Self:
        """With what a row of a list shows, in one query."""
        return self.select_related("project", "definition", "environment", "last_run")


class LocalJobQuerySet(models.QuerySet[Any]):
    def open(self) -> Self:
        return self.exclude(state="done")

    def queued(self) -> Self:
        return self.filter(state="queued")

    def left_over(self, host: str, workflows: models.QuerySet[Any]) -> Self:
        """Jobs that ended on the machine, or before they had one, and are of none of `workflows`."""
        ended = self.filter(state="done", host__in=[host, ""])
        return ended.exclude(Exists(workflows.filter(dispatch_id=OuterRef("dispatch_id"))))

    def occupying(self, host: str) -> Self:
        """Jobs that hold one of the machine's places."""
        return self.filter(host=host, state__in=["claimed", "running"])
