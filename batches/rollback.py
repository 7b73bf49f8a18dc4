"""The way back to before a batch: planned and kept first, then written file by file; undone the same way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from access import audit
from batches.models import Batch, FileState, Rollback
from batches.preview import ABSENT, Refused, action_of, befores_of, listed, refuse_losses, show
from batches.recording import Desk, remember
from batches.store import sweep
from batches.workspace import (
    OutsideWorkspace,
    is_in_the_way,
    link_above,
    read_state,
    write_state,
)


def unfinished(desk: Desk) -> Rollback | None:
    """The rollback that was cut off in the middle, if there is one."""
    rows = Rollback.objects.filter(batch__workspace=desk.workspace, finished_at=None)
    return rows.select_related("batch").order_by("id").first()


def to_undo(batch: Batch) -> Rollback | None:
    """The last rollback of `batch` that could be undone."""
    return batch.rollbacks.filter(undoes=None, undone_by=None).exclude(finished_at=None).first()


def roll_back(desk: Desk, batch: Batch, *, force: bool = False, actor: str, now: datetime) -> Rollback:
    """Bring every file of `batch` back to what it was before; where all are, the last rollback is returned.

    Raises:
        Refused: work that was never recorded, or edits of later batches, would be lost; or no earlier
            state is known.
    """
    with desk.lock():
        cut_off = unfinished(desk)
        if cut_off:
            if cut_off.batch_id != batch.pk:
                raise Refused(f"A rollback of batch {cut_off.batch.number} was cut off: end that one first.")
            return resume(desk, cut_off, force=force, now=now)
        if not force:
            refuse_losses(show(desk, batch))
        rows, befores = [], befores_of(batch)
        if not any(befores.values()):
            raise Refused(f"No earlier state is known of any file of {batch}: there is no way back.")
        for path, before in befores.items():
            found = read_state(desk.root, path, desk.store)
            if before is not None and before.pk != found.pk:
                rows.append(
                    {"path": path, "found": found.pk, "to": before.pk, "action": action_of(before, found)}
                )
        if not rows and (done := to_undo(batch)):
            return done
        _refuse_impossible(desk, rows)
        with transaction.atomic():
            made = Rollback.objects.create(batch=batch, started_at=now, plan=rows)
            audit.record(
                "batch.rollback",
                actor=actor,
                project=desk.workspace.project,
                target=_named(batch),
                batch=batch.number,
                workspace=desk.workspace.pk,
                files=len(rows),
                force=force,
            )
        return resume(desk, made, force=force, now=now)


def undo(desk: Desk, batch: Batch, *, force: bool = False, actor: str, now: datetime) -> Rollback:
    """Bring back what the last rollback of `batch` found.

    Raises:
        Refused: there is none to undo, or files were changed since.
    """
    with desk.lock():
        cut_off = unfinished(desk)
        if cut_off and cut_off.batch_id == batch.pk and cut_off.undoes_id:
            return resume(desk, cut_off, force=force, now=now)
        last = to_undo(batch)
        if last is None or cut_off:
            raise Refused(_nothing_to_undo(batch))
        rows = _turned(last)
        foreign = _foreign(rows, _present(desk, rows))
        if foreign and not force:
            raise Refused(_changed(foreign))
        _refuse_impossible(desk, rows)
        with transaction.atomic():
            made = Rollback.objects.create(batch=batch, started_at=now, plan=rows, undoes=last)
            audit.record(
                "batch.undo",
                actor=actor,
                project=desk.workspace.project,
                target=_named(batch),
                batch=batch.number,
                workspace=desk.workspace.pk,
                files=len(rows),
                force=force,
            )
        return resume(desk, made, force=force, now=now)


def show_undo(desk: Desk, batch: Batch) -> list[dict[str, Any]]:
    """Return what an undo would do, as `preview.show` does for a rollback; nothing is written.

    Raises:
        Refused: there is none to undo.
    """
    cut_off = unfinished(desk)
    if cut_off and cut_off.batch_id == batch.pk and cut_off.undoes_id:
        rows = cut_off.plan
    elif (last := to_undo(batch)) is not None:
        rows = _turned(last)
    else:
        raise Refused(_nothing_to_undo(batch))
    foreign = _foreign(rows, _present(desk, rows))
    problem = "changed since the rollback"
    return [
        {"path": row["path"], "action": "undo", "problem": problem if row["path"] in foreign else ""}
        for row in rows
    ]


def resume(desk: Desk, rollback: Rollback, *, force: bool = False, now: datetime) -> Rollback:
    """Write what is still to be written; what is done already is left as it is.

    Files that go make room first: a folder may have become a file, and has to become a folder again.

    Raises:
        Refused: a file is neither what was found nor what is to be written; nothing is written then.
    """
    states = _states(rollback)
    present = _present(desk, rollback.plan)
    foreign = _foreign(rollback.plan, present)
    if foreign and not force:
        raise Refused(_changed(foreign))
    if foreign:  # so that it can be undone as well
        for row in rollback.plan:
            if row["path"] in foreign:
                row["found"] = present[row["path"]].pk
        rollback.save(update_fields=["plan"])
    for folder in {(desk.root / row["path"]).parent for row in rollback.plan}:
        sweep(folder)
    todo = [row for row in rollback.plan if present[row["path"]].pk != row["to"]]
    todo.sort(key=lambda row: (states[row["to"]].kind != ABSENT, row["path"]))
    for row in todo:
        write_state(desk.root, row["path"], states[row["to"]], desk.store)
    with transaction.atomic():
        for row in rollback.plan:
            remember(desk.workspace, row["path"], states[row["to"]])
        rollback.finished_at = now
        rollback.save(update_fields=["finished_at"])
    return rollback


def _refuse_impossible(desk: Desk, rows: Sequence[Mapping[str, Any]]) -> None:
    """Find out before the first write whether every file can be written."""
    states = FileState.objects.in_bulk({row["to"] for row in rows})
    going = {desk.root / row["path"] for row in rows if states[row["to"]].kind == ABSENT}
    for row in rows:
        state, place = states[row["to"]], desk.root / row["path"]
        if state.kind == ABSENT:
            continue
        for _ in desk.store.pieces(state.digest):
            pass
        link = link_above(desk.root, row["path"])
        if link is not None and desk.root / link not in going:
            raise OutsideWorkspace(f"{row['path']} leads through a link, {link}.")
        if place.is_dir() and not place.is_symlink() and is_in_the_way(place, going):
            raise Refused(f"{row['path']} is a folder with files now, which are not the batch's.")
        for parent in Path(row["path"]).parents:
            there = desk.root / parent
            if there.exists() and not there.is_dir() and there not in going:
                raise Refused(f"{parent} has to be a folder again, and is a file that is not the batch's.")


def _present(desk: Desk, rows: Sequence[Mapping[str, Any]]) -> dict[str, FileState]:
    return {row["path"]: read_state(desk.root, row["path"], desk.store) for row in rows}


def _foreign(rows: Sequence[Mapping[str, Any]], present: Mapping[str, FileState]) -> list[str]:
    return [row["path"] for row in rows if present[row["path"]].pk not in {row["found"], row["to"]}]


def _turned(rollback: Rollback) -> list[dict[str, Any]]:
    return [{**row, "found": row["to"], "to": row["found"], "action": "undo"} for row in rollback.plan]


def _nothing_to_undo(batch: Batch) -> str:
    return f"{batch} has no finished rollback that could be undone.".capitalize()


def _changed(paths: Sequence[str]) -> str:
    return f"Changed meanwhile: {listed(paths)}. Record it first, or add --force to overwrite it."


def _named(batch: Batch) -> str:
    return f"{batch} of {batch.workspace}"


def _states(rollback: Rollback) -> dict[int, FileState]:
    wanted = {row[key] for row in rollback.plan for key in ("found", "to")}
    return FileState.objects.in_bulk(wanted)
