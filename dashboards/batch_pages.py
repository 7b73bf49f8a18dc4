"""What the pages about batches show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from access.models import AuditEntry, Project
from batches.models import Batch, BatchJob, BatchRun, Edit, Regression, Rollback, Workspace
from batches.preview import show
from batches.progress import percent_of
from batches.recording import Desk
from batches.rollback import to_undo, unfinished
from batches.store import Store
from batches.workspace import NotKeepable, OutsideWorkspace
from dashboards.batch_list import BatchRow, rows_of
from dashboards.output import clean
from dashboards.states import State, state

MOST_EDITS, MOST_RUNS, MOST_FAILURES, MOST_AUDIT = 200, 20, 50, 100
EDIT_COLUMNS = [
    *("edit", "path", "description", "recorded_at", "kind", "size", "hash", "suspicion", "earlier_state"),
]


@dataclass(frozen=True, slots=True)
class JobView:
    """Something that goes on; `percent` is how far its tests are, where they tell."""

    job: BatchJob
    output: str
    percent: int | None

    @property
    def is_going(self) -> bool:
        return self.job.finished_at is None

    @property
    def state(self) -> State:
        return state("queued" if self.job.status == "waiting" else self.job.status, self.job.status)


@dataclass(frozen=True, slots=True)
class EditView:
    edit: Edit
    suspicion: float | None
    is_blamed: bool
    tests: list[str]


@dataclass(frozen=True, slots=True)
class BatchPage:
    """One batch and everything that became of it."""

    row: BatchRow
    edits: list[EditView]
    runs: list[BatchRun]
    failures: list[dict[str, Any]]
    regressions: list[Regression]
    suspicion: dict[str, Any]
    preview: list[dict[str, Any]]
    no_preview: str
    rollbacks: list[Rollback]
    can_undo: bool
    cut_off: Rollback | None
    jobs: list[JobView]
    audit: list[AuditEntry]

    @property
    def is_going(self) -> bool:
        return any(view.is_going for view in self.jobs)

    @property
    def conflicts(self) -> int:
        return sum(bool(one["problem"]) for one in self.preview)

    @property
    def flaky(self) -> list[str]:
        return [name for name, one in self.suspicion.get("tests", {}).items() if one["flaky"]]

    @property
    def undecided(self) -> list[str]:
        tests = self.suspicion.get("tests", {})
        return [name for name, one in tests.items() if not (one["edit"] or one["flaky"] or one.get("before"))]


def load(batch: Batch, store: Store, *, is_here: bool) -> BatchPage:
    """Return the page of a batch in a fixed number of queries.

    Args:
        is_here: the workspace's files lie on this machine.
    """
    row = rows_of(Batch.objects.listed().filter(pk=batch.pk))[0]
    run = row.run
    result = BatchRun.objects.values_list("result", flat=True).get(pk=run.pk) if run else {}
    desk = Desk(batch.workspace, store)
    preview, no_preview = _preview(desk, batch, is_here)
    runs = BatchRun.objects.filter(batch=batch).select_related("run").defer("result")
    return BatchPage(
        row=row,
        edits=edits_of(batch, run.suspicion if run else {}),
        runs=list(runs[:MOST_RUNS]),
        failures=result.get("failures", [])[:MOST_FAILURES],
        regressions=list(Regression.objects.filter(batch_run=run).order_by("id")[:200]) if run else [],
        suspicion=run.suspicion if run else {},
        preview=preview,
        no_preview=no_preview,
        rollbacks=list(batch.rollbacks.select_related("undone_by")[:MOST_RUNS]),
        can_undo=to_undo(batch) is not None,
        cut_off=unfinished(desk),
        jobs=[view_of(job) for job in BatchJob.objects.filter(batch=batch).order_by("-id")[:5]],
        audit=_audit(batch),
    )


def edits_of(batch: Batch, suspicion: dict[str, Any]) -> list[EditView]:
    shares = suspicion.get("suspicion", [])
    tests = suspicion.get("tests", {})
    rows = batch.edits.select_related("after").order_by("position")[:MOST_EDITS]
    return [
        EditView(
            edit,
            shares[edit.position - 1] if edit.position <= len(shares) else None,
            edit.position in suspicion.get("edits", []),
            [name for name, one in tests.items() if one["edit"] == edit.position],
        )
        for edit in rows
    ]


def plain_edit(view: EditView) -> dict[str, Any]:
    edit = view.edit
    return {
        "edit": edit.position,
        "path": edit.path,
        "description": edit.description,
        "recorded_at": edit.recorded_at,
        "kind": edit.after.kind,
        "size": edit.after.size,
        "hash": edit.after.digest,
        "suspicion": view.suspicion,
        "earlier_state": edit.before_id is not None,
    }


def view_of(job: BatchJob) -> JobView:
    output = clean(job.output)
    is_by_module = bool(job.options.get("isolated"))
    done = percent_of(output, is_by_module=is_by_module) if job.finished_at is None else None
    return JobView(job, output, done)


def going_on(workspaces: Iterable[Workspace]) -> list[JobView]:
    """What goes on in these workspaces, and before it what ended last of those that have no batch's page."""
    of_these = BatchJob.objects.filter(workspace__in=list(workspaces)).select_related(
        "workspace", "batch", "batch_run__run"
    )
    of_these = of_these.defer("batch_run__result")
    ended = of_these.filter(batch=None, finished_at__isnull=False).order_by("-id")[:1]
    going = of_these.filter(finished_at=None).order_by("id")[:20]
    return [view_of(job) for job in [*ended, *going]]


def _preview(desk: Desk, batch: Batch, is_here: bool) -> tuple[list[dict[str, Any]], str]:
    if not is_here:
        return [], f"The files lie on {desk.workspace.host}; only there it can be told what would change."
    if not Path(desk.workspace.root).is_dir():
        return [], f"There is no folder {desk.workspace.root} any more."
    try:
        return show(desk, batch), ""
    except (OSError, NotKeepable, OutsideWorkspace) as problem:
        return [], f"It can't be told what would change: {problem}"


def _audit(batch: Batch) -> list[AuditEntry]:
    project: Project = batch.workspace.project
    rows = AuditEntry.objects.filter(
        project=project, at__gte=batch.opened_at, action__startswith="batch.", detail__batch=batch.number
    )
    of_others = rows.exclude(detail__workspace=batch.workspace_id).filter(detail__has_key="workspace")
    return list(rows.exclude(pk__in=of_others.values("pk"))[:MOST_AUDIT])
