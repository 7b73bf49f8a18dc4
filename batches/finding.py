"""Which workspace and which batch somebody means: numbers count within a workspace."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet

from access.models import Project
from batches.models import Batch, BatchRun, Workspace

MOST_WORKSPACES = 200


class Unclear(Exception):
    """Several workspaces have it; the text names them."""


def workspaces_of(project: Project) -> QuerySet[Workspace]:
    return Workspace.objects.filter(project=project).order_by("-id")


def workspace_named(project: Project, named: str) -> Workspace | None:
    """Return the workspace with that id, folder, or `host:folder`."""
    rows = workspaces_of(project)
    if named.isdecimal() and len(named) < 10:
        return rows.filter(pk=int(named)).first()
    host, _, root = named.partition(":")
    return rows.filter(root=named).first() or rows.filter(host=host, root=root).first()


def batch_numbered(project: Project, number: int, named: str = "") -> Batch | None:
    """Return the batch of that number, in the named workspace or the only one that has it.

    Raises:
        Unclear: several have it, and none was named.
    """
    rows = Batch.objects.filter(workspace__project=project, number=number)
    if named:
        workspace = workspace_named(project, named)
        return rows.select_related("workspace__project").filter(workspace=workspace).first()
    found = list(rows.select_related("workspace__project").order_by("-workspace_id")[:20])
    if len(found) > 1:
        names = ", ".join(f"{batch.workspace_id} ({batch.workspace})" for batch in found)
        raise Unclear(f"Several workspaces have a batch {number}. Add ?workspace=ID: {names}.")
    return found[0] if found else None


def last_runs(batches: Iterable[Any]) -> dict[int, BatchRun]:
    """Batch -> its last run of the whole suite, without the results of single tests; one query for all."""
    ids = [batch.last_run for batch in batches if getattr(batch, "last_run", None)]
    rows = BatchRun.objects.filter(pk__in=ids).select_related("run").defer("result")
    return {row.batch_id: row for row in rows if row.batch_id}


def status_of(batch: Any, run: BatchRun | None) -> str:
    """One word for a batch of `listed()`: open, untested, passed, failed, error or rolled back."""
    if batch.rolled_back:
        return "rolled back"
    if run is not None:
        return "error" if run.trouble else "passed" if run.success else "failed"
    return "untested" if batch.closed_at else "open"
