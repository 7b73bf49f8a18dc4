"""Record edits: what a path was before, what it is now, and to which batch that belongs."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import transaction
from django.db.models import Max

from access import audit
from access.models import Project
from batches import git
from batches.models import Batch, Edit, FileState, KnownFile, Workspace
from batches.runner import LEFT_OUT
from batches.workspace import NotKeepable, OutsideWorkspace, Store, read_state, state_of

LONGEST_DIFF = 100_000
_STOCK_FILES, _STOCK_BYTES = 20_000, 2 << 20


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


def open_workspace(
    project: Project, root: Path, store: Store, *, host: str, recording: str = "", now: datetime
) -> Desk:
    """Return the desk of a folder; on the first use the stock of its files is taken, but `recording`."""
    workspace, is_new = Workspace.objects.get_or_create(
        project=project,
        host=host,
        root=str(root.resolve()),
        defaults={"created_at": now, "origin_commit": git.commit(root)},
    )
    desk = Desk(workspace, store)
    if is_new:
        take_stock(desk, but=recording)
    return desk


def take_stock(desk: Desk, *, but: str = "") -> int:
    """Keep the present state of files without an earlier one; what git has committed it keeps itself."""
    known = set(KnownFile.objects.filter(workspace=desk.workspace).values_list("path", flat=True))
    paths = git.untracked(desk.root)
    if paths is None or git.text(desk.root, "rev-parse", "--show-prefix"):
        paths = list(_walk(desk.root))
    taken = []
    for path in paths[:_STOCK_FILES]:
        if path in known or path == but:
            continue
        try:
            if (desk.root / path).lstat().st_size > _STOCK_BYTES:
                continue
            state = read_state(desk.root, path, desk.store)
        except (OSError, NotKeepable, OutsideWorkspace):
            continue
        taken.append(KnownFile(workspace=desk.workspace, path=path, state=state))
    KnownFile.objects.bulk_create(taken, ignore_conflicts=True)
    return len(taken)


def record_edit(
    desk: Desk, path: str, description: str = "", *, size: int | None = None, actor: str, now: datetime
) -> Edit:
    """Add the edit of `path` (relative to the root) to the open batch, and close the batch when it is full.

    Raises:
        NothingThere: the file is missing and was never known.
    """
    after = read_state(desk.root, path, desk.store)
    with transaction.atomic():
        workspace = Workspace.objects.select_for_update().get(pk=desk.workspace.pk)
        before = earlier_state(desk, path, after)
        if after.kind == FileState.Kind.ABSENT and (before is None or before.kind == after.kind):
            raise NothingThere(f"There is no file {path} in {desk.root}, and none was known.")
        batch = open_batch(workspace) or _new_batch(workspace, git.commit(desk.root), now)
        edit = Edit.objects.create(
            batch=batch,
            position=batch.edits.count() + 1,
            path=path,
            description=description,
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
        audit.record("batch.record", actor=actor, project=workspace.project, target=path, batch=batch.number)
    return edit


def remember(workspace: Workspace, path: str, state: FileState) -> None:
    KnownFile.objects.update_or_create(
        workspace=workspace, path=path, defaults={"state": state, "is_recorded": True}
    )


def open_batch(workspace: Workspace) -> Batch | None:
    return Batch.objects.filter(workspace=workspace, closed_at=None).order_by("-number").first()


def last_batch(workspace: Workspace) -> Batch | None:
    """The batch last recorded into."""
    return Batch.objects.filter(workspace=workspace, is_dropped=False).order_by("-number").first()


def earlier_state(desk: Desk, path: str, after: FileState) -> FileState | None:
    """Return what `path` was before its edit: from the last record, the stock, or git; None if unknown.

    A state that was only taken as stock and equals the present one was taken after the edit: no help.
    """
    known = KnownFile.objects.filter(workspace=desk.workspace, path=path).select_related("state").first()
    if known and (known.is_recorded or known.state_id != after.pk):
        return known.state
    origin = desk.workspace.origin_commit
    if origin and not known:
        found = git.entry_at(desk.root, origin, path)
        if found:
            mode, content = found
            if mode == "120000":
                return state_of(FileState.Kind.LINK, content, 0, desk.store)
            return state_of(FileState.Kind.FILE, content, 0o755 if mode == "100755" else 0o644, desk.store)
    is_first = not KnownFile.objects.filter(workspace=desk.workspace, is_recorded=True).exists()
    if known or is_first:
        return None
    return state_of(FileState.Kind.ABSENT)  # it was not there when the stock was taken


def text_of(state: FileState | None, store: Store) -> str | None:
    """The text of a state; None where it is none."""
    if state is None or state.kind == FileState.Kind.ABSENT:
        return ""
    try:
        return store.get(state.digest).decode()
    except UnicodeDecodeError:
        return None


def reset(desk: Desk, *, actor: str, now: datetime) -> int:
    """Leave the batches so far behind; what was recorded stays in the history. Return how many there were."""
    with transaction.atomic():
        batches = Batch.objects.filter(workspace=desk.workspace, is_dropped=False)
        batches.filter(closed_at=None).update(closed_at=now)
        number = batches.update(is_dropped=True)
        audit.record("batch.reset", actor=actor, project=desk.workspace.project, target=desk.workspace)
    return number


def _new_batch(workspace: Workspace, commit: str, now: datetime) -> Batch:
    highest = Batch.objects.filter(workspace=workspace).aggregate(last=Max("number"))["last"]
    return Batch.objects.create(
        workspace=workspace, number=(highest or 0) + 1, opened_at=now, git_commit=commit
    )


def _diff(path: str, before: FileState | None, after: FileState, store: Store) -> str:
    old, new = text_of(before, store), text_of(after, store)
    if before is None:
        return ""
    if old is None or new is None:
        return "Binary files differ.\n"
    lines = difflib.unified_diff(
        old.splitlines(keepends=True), new.splitlines(keepends=True), f"a/{path}", f"b/{path}"
    )
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)[:LONGEST_DIFF]


def _walk(root: Path) -> list[str]:
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in LEFT_OUT and name not in {".git", ".venv"}]
        found += [(Path(folder) / name).relative_to(root).as_posix() for name in names]
    return found
