"""What a rollback would do, and what speaks against it; nothing is written and nothing kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from batches.models import Batch, Edit, FileState, KnownFile, Rollback
from batches.recording import Desk
from batches.workspace import look_at

ABSENT = FileState.Kind.ABSENT


class Refused(Exception):
    """The rollback would overwrite work; the text says which, and what to do."""


def show(desk: Desk, batch: Batch) -> list[dict[str, Any]]:
    """Return what a rollback of `batch` would do, keeping nothing: `path`, `action` and `problem`.

    `problem` says why it would be refused without --force: work that was never recorded, or later edits.
    """
    befores = befores_of(batch)
    seen = {path: look_at(desk.root, path) for path in befores}
    known = _known(desk, befores)
    later = _later(desk, batch, befores)
    rows = []
    for path, before in befores.items():
        found = seen[path]
        row = {"path": path, "action": action_of(before, found), "problem": ""}
        if row["action"] not in {"unchanged", "no earlier state"}:
            if not _is(known.get(path), found):
                row["problem"] = "its present state was never recorded"
            elif path in later:
                row["problem"] = f"batch {later[path]} edited it later"
        rows.append(row)
    return rows


def befores_of(batch: Batch) -> Mapping[str, FileState | None]:
    """Path -> the state before the first edit of the batch."""
    found: dict[str, FileState | None] = {}
    for edit in batch.edits.select_related("before").order_by("position"):
        found.setdefault(edit.path, edit.before)
    return found


def action_of(before: FileState | None, found: Any) -> str:
    if before is None:
        return "no earlier state"
    if _is(before, found):
        return "unchanged"
    if before.kind == ABSENT:
        return "delete"
    return "create" if found.kind == ABSENT else "restore"


def _is(state: FileState | None, found: Any) -> bool:
    return state is not None and (state.kind, state.digest, state.mode) == (
        found.kind,
        found.digest,
        found.mode,
    )


def _known(desk: Desk, paths: Collection[str]) -> dict[str, FileState | None]:
    rows = KnownFile.objects.filter(workspace=desk.workspace, path__in=list(paths)).select_related("state")
    return {row.path: row.state for row in rows}


def _later(desk: Desk, batch: Batch, paths: Collection[str]) -> dict[str, int]:
    """Path -> the last batch after `batch` that edited it and was not rolled back."""
    edits = Edit.objects.filter(
        batch__workspace=desk.workspace,
        batch__number__gt=batch.number,
        path__in=list(paths),
        batch__is_dropped=False,
    ).exclude(
        batch__rollbacks__in=Rollback.objects.filter(undoes=None, undone_by=None, finished_at__isnull=False)
    )
    return dict(edits.order_by("batch__number").values_list("path", "batch__number"))


def refuse_losses(rows: Sequence[Mapping[str, Any]]) -> None:
    lost = [row for row in rows if row["problem"]]
    unrecorded = [row["path"] for row in lost if "never recorded" in row["problem"]]
    if unrecorded:
        raise Refused(
            f"Not recorded and would be lost: {listed(unrecorded)}. "
            "Record it with `batch record`, or add --force (the present state is kept either way)."
        )
    if lost:
        problem = lost[0]["problem"].replace("edited it", f"edited {lost[0]['path']}").capitalize()
        raise Refused(f"{problem}. Roll that one back first, or add --force.")


def listed(paths: Sequence[str]) -> str:
    return ", ".join(paths[:20]) + (f" and {len(paths) - 20} more" if len(paths) > 20 else "")
