"""Files of a workspace: found inside its root, read, kept by content, and put back."""

from __future__ import annotations

import glob
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from batches.models import FileState
from batches.store import TEMPORARY, Store, chunks_of, write_atomically

LOGS = "test_batch_logs"
LONGEST_PATH = 1024


class OutsideWorkspace(Exception):
    """A path leads out of the workspace or into what is not its user's to edit."""


class NotKeepable(Exception):
    """A path is a device or something else that has no content to keep, or has a name that can't be kept."""


@dataclass(frozen=True)
class Seen:
    """What lies at a path now."""

    kind: str
    digest: str = ""
    mode: int = 0
    size: int = 0


def relative_path(root: Path, typed: str, folder: Path) -> str:
    """Return `typed`, as meant in `folder`, relative to `root`; the last part may itself be a link.

    Seen from a folder outside of the workspace, a relative one is meant from the root.

    Raises:
        OutsideWorkspace: it leads out, through `..`, an absolute path or a link, or into `.git` or the logs.
    """
    if not folder.resolve().is_relative_to(root.resolve()):
        folder = root
    given = folder / typed
    if Path(typed).name in {"", ".", ".."} or "\0" in typed:
        raise OutsideWorkspace(f"{typed!r} names no file.")
    try:
        real = given.parent.resolve() / given.name
        top = root.resolve()
    except (RuntimeError, OSError):
        raise OutsideWorkspace(f"{typed} leads through links that go in circles.") from None
    if not real.is_relative_to(top):
        raise OutsideWorkspace(f"{typed} lies outside the workspace {top}.")
    path = real.relative_to(top)
    if not path.parts:
        raise OutsideWorkspace(f"{typed} is the workspace itself: record its files.")
    if path.parts[0] == LOGS or ".git" in path.parts:
        raise OutsideWorkspace(f"{typed} lies in .git or {LOGS} and is never recorded.")
    return path.as_posix()


def place_of(root: Path, path: str) -> Path:
    """Return where `path` lies now; a folder on the way that became a link is refused."""
    place = _inside(root, path)
    if (link := link_above(root, path)) is not None:
        raise OutsideWorkspace(f"{path} leads through a link, {link}.")
    return place


def link_above(root: Path, path: str) -> str | None:
    """Return the folder on the way to `path` that is a link now, relative to `root`."""
    top = root.resolve()
    for parent in [*Path(path).parents][-2::-1]:
        if (top / parent).is_symlink():
            return parent.as_posix()
    return None


def look_at(root: Path, path: str) -> Seen:
    """Return what lies at a path now, without keeping it; a folder is no file, so nothing."""
    place = _inside(root, path)
    if not is_keepable(path):
        raise NotKeepable(f"{path!a} has a name that can't be kept: not UTF-8, or too long.")
    if link_above(root, path):  # asked first: links in circles can't be looked through
        return Seen(FileState.Kind.ABSENT)
    try:
        found = place.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return Seen(FileState.Kind.ABSENT)
    if stat.S_ISDIR(found.st_mode):
        return Seen(FileState.Kind.ABSENT)
    if stat.S_ISLNK(found.st_mode):
        target = os.fsencode(place.readlink())
        return Seen(FileState.Kind.LINK, hashlib.sha256(target).hexdigest(), 0, len(target))
    if not stat.S_ISREG(found.st_mode):
        raise NotKeepable(f"{path} is no file.")
    with place.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Seen(FileState.Kind.FILE, digest, stat.S_IMODE(found.st_mode), found.st_size)


def read_state(root: Path, path: str, store: Store) -> FileState:
    """Return the state of a path now, its content kept."""
    seen = look_at(root, path)
    if seen.kind == FileState.Kind.ABSENT:
        return state_of(seen.kind)
    place = root.resolve() / path
    if seen.kind == FileState.Kind.LINK:
        return kept_state(seen.kind, [os.fsencode(place.readlink())], 0, store)
    with place.open("rb") as file:
        digest = store.take(chunks_of(file), known=seen.digest)
    return _row(seen.kind, digest, seen.mode, seen.size)


def kept_state(kind: str, chunks: Iterable[bytes], mode: int, store: Store) -> FileState:
    """Return the row of a state whose content comes in pieces, the content kept."""
    size = 0

    def counted() -> Iterator[bytes]:
        nonlocal size
        for chunk in chunks:
            size += len(chunk)
            yield chunk

    digest = store.take(counted())
    return _row(kind, digest, mode, size)


def state_of(kind: str, content: bytes = b"", mode: int = 0, store: Store | None = None) -> FileState:
    """Return the row of a state, made on first use."""
    return _row(kind, store.put(content) if store else "", mode, len(content))


def write_state(root: Path, path: str, state: FileState, store: Store) -> None:
    """Make a path what `state` says, in one step for whoever looks at it."""
    place = place_of(root, path)
    _forget_byte_code(place)
    if state.kind == FileState.Kind.ABSENT:
        if not place.is_dir() or place.is_symlink():
            place.unlink(missing_ok=True)
            _drop_empty(place.parent, root.resolve())
        return
    if place.is_dir() and not place.is_symlink():
        give_way(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    if state.kind == FileState.Kind.LINK:
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=TEMPORARY) as folder:
            link = Path(folder) / "link"
            link.symlink_to(os.fsdecode(store.get(state.digest)))
            link.replace(place)
    else:
        write_atomically(place, store.pieces(state.digest), state.mode)


def is_in_the_way(folder: Path, going: set[Path]) -> bool:
    """Whether a folder holds more than empty folders, byte code and what is `going` anyway."""
    return any(
        (found.is_symlink() or not found.is_dir()) and found not in going and not _is_byte_code(found)
        for found in folder.rglob("*")
    )


def give_way(folder: Path) -> None:
    """Remove a folder that holds nothing but empty folders and byte code.

    Raises:
        OSError: it holds more.
    """
    if is_in_the_way(folder, set()):
        raise OSError(f"{folder} is a folder that holds files; a file has to lie in its place.")
    shutil.rmtree(folder)


def _forget_byte_code(place: Path) -> None:
    """Python looks at seconds and size only: what is written within one second could run as it was before."""
    if place.suffix == ".py":
        for cached in (place.parent / "__pycache__").glob(f"{glob.escape(place.stem)}.*.pyc"):
            cached.unlink(missing_ok=True)


def _is_byte_code(place: Path) -> bool:
    return place.parent.name == "__pycache__" and place.suffix == ".pyc"


def _drop_empty(folder: Path, top: Path) -> None:
    """Remove folders that a deletion left empty, as git does."""
    while folder != top and folder.is_relative_to(top):
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent


def _inside(root: Path, path: str) -> Path:
    parts = Path(path).parts
    if not parts or Path(path).is_absolute() or ".." in parts:
        raise OutsideWorkspace(f"{path!r} leads out of the workspace.")
    return root.resolve() / path


def is_keepable(path: str) -> bool:
    """Whether the database takes a name: not too long, and UTF-8."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in path and len(path) <= LONGEST_PATH


def _row(kind: str, digest: str, mode: int, size: int) -> FileState:
    row, _ = FileState.objects.get_or_create(kind=kind, digest=digest, mode=mode, defaults={"size": size})
    return row
