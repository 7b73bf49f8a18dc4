"""Which run of a list is which row of ours: by its number, else by what its title shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from tracking.ci.base import CIRefused, RemoteRun
from tracking.ci.github.client import Client
from tracking.ci.github.records import RunRecord
from tracking.models import CIRepository, RunEvent, WorkflowRun

CLOCKS = timedelta(minutes=2)  # by which two machines' clocks may differ


class Matching:
    """The rows that wait for news from one repository, and the runs that a list shows."""

    def __init__(
        self, client: Client, watch: CIRepository, workflows: Sequence[WorkflowRun], *, now: datetime
    ) -> None:
        self.client, self.now = client, now
        ours = WorkflowRun.objects.filter(service="github").select_related("run").in_flight()
        numbered = list(ours.filter(repository_id=watch.repository_id, github_run_id__isnull=False))
        nameless = [row for row in workflows if not row.github_run_id]
        self.by_number = {row.github_run_id: row for row in [*numbered, *workflows] if row.github_run_id}
        self.nameless = {row.dispatch_id: row for row in nameless}
        begun = [row.sent_at or row.run.started_at for row in [*self.by_number.values(), *nameless]]
        self.since = min(begun, default=now)
        self.seen: set[int] = set()

    def read(self, page: Sequence[RunRecord]) -> list[RemoteRun]:
        """Return what a page tells of our rows; a run too many is ended and said."""
        told = []
        strangers = []
        for record in page:
            row = self.by_number.get(record.id)
            if row:
                self.seen.add(record.id)
                told.append(record.as_remote(row.dispatch_id, seen_by="list"))
            elif record.event == "workflow_dispatch":
                strangers.append(record)
        if strangers:
            told += self._adopt(strangers)
        return told

    def missing(self, *, older_than: datetime) -> list[WorkflowRun]:
        """Rows whose run was not in the list, though it is old enough to be there."""
        return [
            row
            for number, row in self.by_number.items()
            if number not in self.seen and not row.conclusion and (row.sent_at or self.now) < older_than
        ]

    def _adopt(self, strangers: Sequence[RunRecord]) -> list[RemoteRun]:
        """Give runs to the rows whose answer was lost, on an equal file and an equal title only."""
        told = []
        taken = set(
            WorkflowRun.objects.filter(
                service="github", github_run_id__in=[record.id for record in strangers]
            ).values_list("github_run_id", flat=True)
        )
        # Numbers grow with time: of rows that look alike, the first one gets the first run.
        for record in sorted(strangers, key=lambda one: one.id):
            if record.id in taken:
                continue
            row = self._row_of(record)
            if row is None:
                self._end_if_surplus(record)
                continue
            del self.nameless[row.dispatch_id]
            self.by_number[record.id] = row
            self.seen.add(record.id)
            if row.dispatch_state == "unknown":
                text = f"{row} was found on GitHub: its answer had been lost."
                RunEvent.objects.create(run=row.run, at=self.now, kind="found", text=text)
            told.append(record.as_remote(row.dispatch_id, seen_by="list"))
        return told

    def _row_of(self, record: RunRecord) -> WorkflowRun | None:
        by_id = next((self.nameless[word] for word in _words(record) if word in self.nameless), None)
        if by_id:
            return by_id if _same_file(by_id, record) else None
        for row in sorted(self.nameless.values(), key=lambda one: one.position):
            shows_id = row.run.checked.get("files", {}).get(row.workflow_file, {}).get("shows_dispatch_id")
            is_after = record.created_at and row.sent_at and record.created_at >= row.sent_at - CLOCKS
            if is_after and not shows_id and _same_file(row, record) and record.title == row.run.test_run_id:
                return row
        return None

    def _end_if_surplus(self, record: RunRecord) -> None:
        """A workflow that was sent again, and whose first one turned up after all."""
        row = (
            WorkflowRun.objects.filter(dispatch_id__in=_words(record), github_run_id__isnull=False)
            .exclude(github_run_id=record.id)
            .select_related("run")
            .first()
        )
        if (
            row is None
            or record.status == "completed"
            or row.run.events.filter(text__contains=str(record.id))
        ):
            return
        text = f"{row} was started twice at GitHub; the run {record.id} was cancelled as one too many."
        try:
            self.client.cancel(record.id)
        except CIRefused as refusal:
            text = f"{row} was started twice at GitHub; the run {record.id} could not be ended: {refusal}"
        RunEvent.objects.create(run=row.run, at=self.now, kind="surplus", text=text)


def _words(record: RunRecord) -> list[str]:
    return [word.strip("()[]·,") for word in record.title.split()]


def _same_file(row: WorkflowRun, record: RunRecord) -> bool:
    return row.workflow_file.rsplit("/", 1)[-1] == record.path.rsplit("/", 1)[-1]
