"""The way back to before a batch: planned and kept first, then written file by file; undone the same way."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from access import audit
from batches.models import Batch, Edit, FileState, KnownFile, Rollback
from batches.recording import Desk, remember
from batches.workspace import read_state, write_state


class Refused(Exception):
    """The rollback would overwrite work; the text says which, and what to do."""


def show(desk: Desk, batch: Batch) -> list[dict[str, Any]]:
    """Return what a rollback of `batch` would do: `path`, `action`, and the states `found` and `to`."""
    rows = []
    for path, before in _befores(batch).items():
        found = read_state(desk.root, path, desk.store)
        row: dict[str, Any] = {"path": path, "found": found.pk, "to": before.pk if before else None}
        if before is None:
            row["action"] = "no earlier state"
        elif before.pk == found.pk:
            row["action"] = "unchanged"
        elif before.kind == FileState.Kind.ABSENT:
            row["action"] = "delete"
        else:
            row["action"] = "create" if found.kind == FileState.Kind.ABSENT else "restore"
        rows.append(row)
    return rows


def unfinished(desk: Desk) -> Rollback | None:
    """The rollback that was cut off in the middle, if there is one."""
    rows = Rollback.objects.filter(batch__workspace=desk.workspace, finished_at=None)
    return rows.select_related("batch").order_by("id").first()


def roll_back(desk: Desk, batch: Batch, *, force: bool = False, actor: str, now: datetime) -> Rollback:
    """Bring every file of `batch` back to what it was before.

    Raises:
        Refused: work that was never recorded, or edits of later batches, would be lost.
    """
    cut_off = unfinished(desk)
    if cut_off:
        if cut_off.batch_id != batch.pk:
            raise Refused(f"A rollback of batch {cut_off.batch.number} was cut off: end that one first.")
        return resume(desk, cut_off, force=force, now=now)
    rows = [row for row in show(desk, batch) if row["action"] not in {"unchanged", "no earlier state"}]
    if not force:
        _refuse_losses(desk, batch, rows)
    with transaction.atomic():
        made = Rollback.objects.create(batch=batch, started_at=now, plan=rows)
        audit.record(
            "batch.rollback", actor=actor, project=desk.workspace.project, target=batch, files=len(rows)
        )
    return resume(desk, made, force=force, now=now)


def undo(desk: Desk, batch: Batch, *, force: bool = False, actor: str, now: datetime) -> Rollback:
    """Bring back what the last rollback of `batch` found.

    Raises:
        Refused: there is none to undo, or files were changed since.
    """
    cut_off = unfinished(desk)
    if cut_off and cut_off.batch_id == batch.pk and cut_off.undoes_id:
        return resume(desk, cut_off, force=force, now=now)
    last = batch.rollbacks.filter(undoes=None, undone_by=None).exclude(finished_at=None).first()
    if last is None or cut_off:
        raise Refused(f"{batch} has no finished rollback that could be undone.".capitalize())
    rows = [{**row, "found": row["to"], "to": row["found"], "action": "undo"} for row in last.plan]
    with transaction.atomic():
        made = Rollback.objects.create(batch=batch, started_at=now, plan=rows, undoes=last)
        audit.record("batch.undo", actor=actor, project=desk.workspace.project, target=batch)
    try:
        return resume(desk, made, force=force, now=now)
    except Refused:
        made.delete()  # nothing was written
        raise


def resume(desk: Desk, rollback: Rollback, *, force: bool = False, now: datetime) -> Rollback:
    """Write what is still to be written; what is done already is left as it is.

    Raises:
        Refused: a file is neither what was found nor what is to be written; nothing is written then.
    """
    states = _states(rollback)
    present = {row["path"]: read_state(desk.root, row["path"], desk.store) for row in rollback.plan}
    foreign = [
        row["path"] for row in rollback.plan if present[row["path"]].pk not in {row["found"], row["to"]}
    ]
    if foreign and not force:
        raise Refused(
            f"Changed meanwhile: {', '.join(foreign)}. Record it first, or add --force to overwrite it."
        )
    if foreign:  # so that it can be undone as well
        for row in rollback.plan:
            if row["path"] in foreign:
                row["found"] = present[row["path"]].pk
        rollback.save(update_fields=["plan"])
    for row in rollback.plan:
        if present[row["path"]].pk != row["to"]:
            write_state(desk.root, row["path"], states[row["to"]], desk.store)
    with transaction.atomic():
        for row in rollback.plan:
            remember(desk.workspace, row["path"], states[row["to"]])
        rollback.finished_at = now
        rollback.save(update_fields=["finished_at"])
    return rollback


def _befores(batch: Batch) -> Mapping[str, FileState | None]:
    """Path -> the state before the first edit of the batch."""
    found: dict[str, FileState | None] = {}
    for edit in batch.edits.select_related("before").order_by("position"):
        found.setdefault(edit.path, edit.before)
    return found


def _refuse_losses(desk: Desk, batch: Batch, rows: list[dict[str, Any]]) -> None:
    paths = [row["path"] for row in rows]
    known = dict(
        KnownFile.objects.filter(workspace=desk.workspace, path__in=paths).values_list("path", "state_id")
    )
    unrecorded = [row["path"] for row in rows if known.get(row["path"]) != row["found"]]
    if unrecorded:
        raise Refused(
            f"Not recorded and would be lost: {', '.join(unrecorded)}. "
            "Record it with `batch record`, or add --force (the present state is kept either way)."
        )
    later = Edit.objects.filter(
        batch__workspace=desk.workspace,
        batch__number__gt=batch.number,
        path__in=paths,
        batch__is_dropped=False,
    ).exclude(batch__rollbacks__finished_at__isnull=False, batch__rollbacks__undone_by=None)
    first = later.select_related("batch").order_by("-batch__number").first()
    if first:
        raise Refused(
            f"Batch {first.batch.number} edited {first.path} later. Roll that one back first, or add --force."
        )


def _states(rollback: Rollback) -> dict[int, FileState]:
    wanted = {row[key] for row in rollback.plan for key in ("found", "to")}
    return FileState.objects.in_bulk(wanted)
