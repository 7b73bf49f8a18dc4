"""Record edits: what a path was before, what it is now, and to which batch that belongs."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import transaction
from django.db.models import Max

from access import audit
from access.models import Project
from batches import git
from batches.models import Batch, BatchRun, Edit, FileState, KnownFile, Workspace
from batches.stock import committed_state, earlier_state, take_stock
from batches.store import Store
from batches.workspace import look_at, read_state

LONGEST_DIFF = 100_000
_COMPARED = 256 << 10  # bytes of a file of which the difference is worth its time
_COMPARED_LINES = 5_000


class NothingThere(Exception):
    """The file to record is not there and never was."""


@dataclass(frozen=True)
class Desk:
    """A workspace with its store; what every verb of this app works on."""

    workspace: Workspace
    store: Store

    @property
    def root(self) -> Path:
        return Path(self.workspace.root)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Be the only one who records, rolls back or writes logs here."""
        with self.store.lock(f"workspace-{self.workspace.pk}"):
            yield


def open_workspace(
    project: Project, root: Path, store: Store, *, host: str, recording: str = "", now: datetime
) -> Desk:
    """Return the desk of a folder; on the first use the stock of its files is taken, but `recording`."""
    folder = str(root.resolve())
    place = {"project": project, "host": host, "root": folder}
    workspace = Workspace.objects.filter(**place, stock_at__isnull=False).first()
    if workspace is None:
        with store.lock(f"first-{hashlib.sha256(folder.encode(errors='replace')).hexdigest()[:16]}"):
            workspace, _ = Workspace.objects.get_or_create(
                **place, defaults={"created_at": now, "origin_commit": git.commit(root)}
            )
            if workspace.stock_at is None:  # new, or somebody died over it
                take_stock(workspace, store, but=recording)
                workspace.stock_at = now
                workspace.save(update_fields=["stock_at"])
    return Desk(workspace, store)


def record_edit(
    desk: Desk, path: str, description: str = "", *, size: int | None = None, actor: str, now: datetime
) -> Edit:
    """Add the edit of `path` (relative to the root) to the open batch, and close the batch when it is full.

    Raises:
        NothingThere: the file is missing and was never known.
    """
    with desk.lock(), transaction.atomic():
        after = read_state(desk.root, path, desk.store)
        workspace = Workspace.objects.select_for_update().get(pk=desk.workspace.pk)
        before = earlier_state(workspace, path, after, desk.store)
        if after.kind == FileState.Kind.ABSENT and (before is None or before.kind == after.kind):
            what = "is a folder: record its files" if (desk.root / path).is_dir() else "is not there"
            raise NothingThere(f"{path} in {desk.root} {what}, and no file of that name was known.")
        batch = open_batch(workspace) or _new_batch(workspace, git.commit(desk.root), now)
        edit = Edit.objects.create(
            batch=batch,
            position=batch.edits.count() + 1,
            path=path,
            description=description.replace("\0", ""),
            recorded_at=now,
            before=before,
            after=after,
            diff=_diff(path, before, after, desk.store),
        )
        remember(workspace, path, after)
        if edit.position >= (size or workspace.batch_size):
            batch.closed_at = now
            batch.save(update_fields=["closed_at"])
            edit.batch = batch
        audit.record(
            "batch.record",
            actor=actor,
            project=workspace.project,
            target=path,
            batch=batch.number,
            workspace=workspace.pk,
        )
    return edit


def is_change(desk: Desk, path: str) -> bool:
    """Whether a path holds something else than what was last known of it; a rollback's own writes do not."""
    seen = look_at(desk.root, path)
    known = KnownFile.objects.filter(workspace=desk.workspace, path=path).select_related("state").first()
    if known is not None and known.state is not None:
        return (seen.kind, seen.digest, seen.mode) != (known.state.kind, known.state.digest, known.state.mode)
    after = read_state(desk.root, path, desk.store)
    before = earlier_state(desk.workspace, path, after, desk.store)
    return before is None or before.pk != after.pk


def take_over(desk: Desk, paths: Collection[str]) -> list[str]:
    """Note files that are now as git's HEAD has them as known, without an edit; return the others."""
    others = []
    for path in paths:
        after = read_state(desk.root, path, desk.store)
        head = committed_state(desk.root, path, "HEAD", after, desk.store)
        is_as_there = head.pk == after.pk if head else after.kind == FileState.Kind.ABSENT
        if is_as_there:
            remember(desk.workspace, path, after)
        else:
            others.append(path)
    return others


def remember(workspace: Workspace, path: str, state: FileState) -> None:
    KnownFile.objects.update_or_create(
        workspace=workspace, path=path, defaults={"state": state, "is_recorded": True}
    )


def open_batch(workspace: Workspace) -> Batch | None:
    return Batch.objects.filter(workspace=workspace, closed_at=None).order_by("-number").first()


def last_batch(workspace: Workspace) -> Batch | None:
    """The batch last recorded into."""
    return Batch.objects.filter(workspace=workspace, is_dropped=False).order_by("-number").first()


def next_number(workspace: Workspace) -> int:
    """The number of the next batch; a reset does not give numbers out again."""
    highest = Batch.objects.filter(workspace=workspace).aggregate(last=Max("number"))["last"]
    return (highest or 0) + 1


def untested(workspace: Workspace, *, before: Batch | None = None) -> Batch | None:
    """The last batch since whose end no whole suite ran: somebody died over it, or asked for no tests."""
    closed = Batch.objects.filter(workspace=workspace, is_dropped=False, closed_at__isnull=False)
    last = closed.exclude(pk=before.pk).first() if before else closed.first()
    if last is None or last.rollbacks.exists():
        return None
    whole = BatchRun.objects.filter(workspace=workspace, pattern="", started_at__gte=last.closed_at)
    return None if whole.exists() else last


def text_of(state: FileState | None, store: Store) -> str | None:
    """The text of a state; None where it is none, or too long to be compared."""
    if state is None or state.kind == FileState.Kind.ABSENT:
        return ""
    if state.size > _COMPARED:
        return None
    try:
        text = store.get(state.digest).decode()
    except (UnicodeDecodeError, OSError):
        return None
    return None if "\0" in text else text


def reset(desk: Desk, *, actor: str, now: datetime) -> int:
    """Leave the batches so far behind; what was recorded stays in the history. Return how many there were."""
    with transaction.atomic():
        batches = Batch.objects.filter(workspace=desk.workspace, is_dropped=False)
        batches.filter(closed_at=None).update(closed_at=now)
        number = batches.update(is_dropped=True)
        audit.record(
            "batch.reset",
            actor=actor,
            project=desk.workspace.project,
            target=desk.workspace,
            workspace=desk.workspace.pk,
            batches=number,
        )
    return number


def _new_batch(workspace: Workspace, commit: str, now: datetime) -> Batch:
    number = next_number(workspace)
    return Batch.objects.create(workspace=workspace, number=number, opened_at=now, git_commit=commit)


def _diff(path: str, before: FileState | None, after: FileState, store: Store) -> str:
    if before is None or before.pk == after.pk:
        return ""
    old, new = text_of(before, store), text_of(after, store)
    if old is None or new is None or max(old.count("\n"), new.count("\n")) > _COMPARED_LINES:
        what = "Large" if max(before.size, after.size) > _COMPARED or (old and new) else "Binary"
        return f"{what} files differ: {before.size:,} and {after.size:,} bytes.\n"
    lines = difflib.unified_diff(
        old.splitlines(keepends=True), new.splitlines(keepends=True), f"a/{path}", f"b/{path}"
    )
    told = "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)[:LONGEST_DIFF]
    if before.kind != after.kind and FileState.Kind.ABSENT not in {before.kind, after.kind}:
        return f"It was a {before.kind} and is a {after.kind} now.\n{told}"
    return f"mode {before.mode:o} -> {after.mode:o}\n{told}" if _mode_differs(before, after) else told


def _mode_differs(before: FileState, after: FileState) -> bool:
    return before.kind == after.kind == FileState.Kind.FILE and before.mode != after.mode
