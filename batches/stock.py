"""The stock: what lies in a workspace at its first use, so that an edit has an earlier state."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from batches import git
from batches.models import FileState, KnownFile, Workspace
from batches.store import Store
from batches.workspace import (
    LOGS,
    NotKeepable,
    OutsideWorkspace,
    is_keepable,
    kept_state,
    read_state,
    state_of,
)

LEFT_OUT = {LOGS, "node_modules", "__pycache__", "venv", "build", "dist", "site-packages"}
_NEVER = {".git", ".hg", ".venv", ".tox", ".nox", ".mypy_cache", ".pytest_cache", ".ruff_cache"}
_FILES, _BYTES, _ALL_BYTES = 20_000, 2 << 20, 512 << 20


def take_stock(workspace: Workspace, store: Store, *, but: str = "") -> int:
    """Keep the present state of files without an earlier one; what git has committed it keeps itself.

    A file that is too large, or `but`, is noted without its content: it was there, whatever it held.
    """
    root = Path(workspace.root)
    known = set(KnownFile.objects.filter(workspace=workspace).values_list("path", flat=True))
    paths = [path for path in _paths(root) if path not in known]
    noted, room = [], _ALL_BYTES
    for path in paths[:_FILES]:
        state = None
        try:
            size = (root / path).lstat().st_size
            if path != but and size <= min(_BYTES, room):
                state = read_state(root, path, store)
                room -= size
        except FileNotFoundError:
            state = state_of(FileState.Kind.ABSENT)
        except (OSError, NotKeepable, OutsideWorkspace):
            pass
        if is_keepable(path) and not ((root / path).is_dir() and not (root / path).is_symlink()):
            noted.append(KnownFile(workspace=workspace, path=path, state=state))
    if but and but not in known and but not in paths:
        noted.append(KnownFile(workspace=workspace, path=but, state=None))
    if len(paths) > _FILES and workspace.is_stock_whole:
        workspace.is_stock_whole = False
        workspace.save(update_fields=["is_stock_whole"])
    KnownFile.objects.bulk_create(noted, ignore_conflicts=True, batch_size=500)
    return sum(row.state_id is not None for row in noted)


def earlier_state(workspace: Workspace, path: str, after: FileState, store: Store) -> FileState | None:
    """Return what `path` was before its edit: from the last record, the stock, or git; None if unknown.

    A state that was only taken as stock and equals the present one was taken after the edit: no help.
    """
    root = Path(workspace.root)
    known = KnownFile.objects.filter(workspace=workspace, path=path).select_related("state").first()
    if known and known.is_recorded:
        return known.state
    if known and known.state_id and known.state_id != after.pk:
        return known.state
    head = committed_state(root, path, "HEAD", after, store)
    if head and head.pk != after.pk:
        return head
    origin = workspace.origin_commit
    first = committed_state(root, path, origin, after, store) if origin else None
    if first and first.pk != after.pk:
        return first
    if head and (first or not git.knows(root, path, origin)):
        return head  # it is what was committed: no edit at all
    if known or not workspace.is_stock_whole or not _is_covered(root, path):
        return None
    return state_of(FileState.Kind.ABSENT)  # it was not there when the stock was taken


def committed_state(root: Path, path: str, revision: str, after: FileState, store: Store) -> FileState | None:
    """Return the state of `path` in a revision, as a checkout would write it; `after` tells the mode."""
    found = git.committed(root, path, revision)
    if found is None:
        return None
    is_program = found.mode == git.PROGRAM
    mode = 0o755 if is_program else 0o644
    if after.kind == FileState.Kind.FILE and bool(after.mode & 0o100) == is_program:
        mode = after.mode  # of the mode git keeps one bit only
    is_link = found.mode == git.LINK
    try:
        with found.content() as content:
            kind = FileState.Kind.LINK if is_link else FileState.Kind.FILE
            return kept_state(kind, iter(lambda: content.read(1 << 20), b""), 0 if is_link else mode, store)
    except OSError:
        return None


def _is_covered(root: Path, path: str) -> bool:
    """Whether the stock would have had the file, had it been there."""
    if git.uncommitted(root) is not None:
        return git.covers(root, path)
    return not (LEFT_OUT | _NEVER) & set(Path(path).parts)


def _paths(root: Path) -> list[str]:
    listed = git.uncommitted(root)
    return list(_walk(root)) if listed is None else listed


def _walk(root: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in LEFT_OUT | _NEVER)
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        for name in [*links, *names]:
            yield (Path(folder) / name).relative_to(root).as_posix()
