"""Files of a workspace: found inside its root, read, kept by content, and put back."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from batches.models import FileState

LOGS = "test_batch_logs"


class OutsideWorkspace(Exception):
    """A path leads out of the workspace or into what is not its user's to edit."""


class NotKeepable(Exception):
    """A path is a folder, a device or something else that has no content to keep."""


class Store:
    """Contents by their SHA-256, below one folder; written once and never changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        place = self._place(digest)
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(place, content, 0o600)
        return digest

    def get(self, digest: str) -> bytes:
        """Return the content.

        Raises:
            OSError: it is gone, or damaged.
        """
        content = self._place(digest).read_bytes()
        if hashlib.sha256(content).hexdigest() != digest:
            raise OSError(f"The kept content {digest[:12]} is damaged: {self._place(digest)}.")
        return content

    def _place(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest[2:]


def relative_path(root: Path, typed: str, folder: Path) -> str:
    """Return `typed`, as meant in `folder`, relative to `root`; the last part may itself be a link.

    Raises:
        OutsideWorkspace: it leads out, through `..`, an absolute path or a link, or into `.git` or the logs.
    """
    given = Path(typed) if Path(typed).is_absolute() else folder / typed
    if given.name in {"", ".", ".."} or "\0" in typed:
        raise OutsideWorkspace(f"{typed!r} names no file.")
    real = given.parent.resolve() / given.name
    top = root.resolve()
    if not real.is_relative_to(top):
        raise OutsideWorkspace(f"{typed} lies outside the workspace {top}.")
    path = real.relative_to(top)
    if path.parts[0] in {".git", LOGS}:
        raise OutsideWorkspace(f"{typed} belongs to {path.parts[0]} and is never recorded.")
    return path.as_posix()


def place_of(root: Path, path: str) -> Path:
    """Return where `path` lies now; a folder on the way that became a link is refused."""
    parts = Path(path).parts
    if not parts or Path(path).is_absolute() or ".." in parts:
        raise OutsideWorkspace(f"{path!r} leads out of the workspace.")
    place = root.resolve() / path
    if place.parent.exists() and place.parent.resolve() != place.parent:
        raise OutsideWorkspace(f"{path} leads through a link.")
    return place


def read_state(root: Path, path: str, store: Store) -> FileState:
    """Return the state of a path now, its content kept."""
    place = place_of(root, path)
    try:
        found = place.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return state_of(FileState.Kind.ABSENT)
    if stat.S_ISLNK(found.st_mode):
        target = os.fsencode(place.readlink())
        return state_of(FileState.Kind.LINK, target, 0, store)
    if not stat.S_ISREG(found.st_mode):
        raise NotKeepable(f"{path} is no file.")
    return state_of(FileState.Kind.FILE, place.read_bytes(), stat.S_IMODE(found.st_mode), store)


def state_of(kind: str, content: bytes = b"", mode: int = 0, store: Store | None = None) -> FileState:
    """Return the row of a state, made on first use."""
    digest = store.put(content) if store else ""
    row, _ = FileState.objects.get_or_create(
        kind=kind, digest=digest, mode=mode, defaults={"size": len(content)}
    )
    return row


def write_state(root: Path, path: str, state: FileState, store: Store) -> None:
    """Make a path what `state` says, in one step for whoever looks at it."""
    place = place_of(root, path)
    if state.kind == FileState.Kind.ABSENT:
        place.unlink(missing_ok=True)
        return
    content = store.get(state.digest)
    place.parent.mkdir(parents=True, exist_ok=True)
    if state.kind == FileState.Kind.LINK:
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=".runtrail-") as folder:
            link = Path(folder) / "link"
            link.symlink_to(os.fsdecode(content))
            link.replace(place)
    else:
        write_atomically(place, content, state.mode)


def write_atomically(place: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file that is there wholly or not at all, on the disk when this returns."""
    number, name = tempfile.mkstemp(dir=place.parent, prefix=".runtrail-")
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(place)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
