"""Contents kept by their SHA-256, files written wholly or not at all, and the lock of a workspace."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

TEMPORARY = ".runtrail-"  # how our unfinished files begin; none is ever recorded
_CHUNK = 1 << 20
_held = threading.local()


class Store:
    """Contents by their SHA-256, below one folder; written once and never changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, content: bytes) -> str:
        return self.take([content])

    def take(self, chunks: Iterable[bytes], known: str = "") -> str:
        """Keep a content that comes in pieces; return its digest.  `known` is what it probably is."""
        if known and self._place(known).exists():
            return known
        self._folder.mkdir(parents=True, exist_ok=True)
        number, name = tempfile.mkstemp(dir=self._folder, prefix=TEMPORARY)
        try:
            seen = hashlib.sha256()
            with os.fdopen(number, "wb") as file:
                for chunk in chunks:
                    seen.update(chunk)
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            place = self._place(seen.hexdigest())
            if not place.exists():
                place.parent.mkdir(exist_ok=True)
                Path(name).replace(place)
        finally:
            Path(name).unlink(missing_ok=True)
        return seen.hexdigest()

    def get(self, digest: str) -> bytes:
        """Return the content.

        Raises:
            OSError: it is gone, or damaged.
        """
        return b"".join(self.pieces(digest))

    def pieces(self, digest: str) -> Iterator[bytes]:
        """Yield the content in pieces; at the end OSError where it is not what it was."""
        seen = hashlib.sha256()
        with self._place(digest).open("rb") as file:
            for chunk in chunks_of(file):
                seen.update(chunk)
                yield chunk
        if seen.hexdigest() != digest:
            raise OSError(f"The kept content {digest[:12]} is damaged: {self._place(digest)}.")

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Be the only process that works on what is called `name`; within one thread it may be nested."""
        depths = _held.__dict__
        key = f"{self._folder}/{name}"
        if depths.get(key):
            yield
            return
        folder = self._folder / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / name).open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            depths[key] = True
            try:
                yield
            finally:
                depths.pop(key)

    def _place(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest[2:]


def chunks_of(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk


def write_atomically(place: Path, content: bytes | Iterable[bytes], mode: int = 0o644) -> None:
    """Write a file that is there wholly or not at all, on the disk when this returns."""
    number, name = tempfile.mkstemp(dir=place.parent, prefix=TEMPORARY)
    try:
        with os.fdopen(number, "wb") as file:
            file.writelines([content] if isinstance(content, bytes) else content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(place)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def sweep(folder: Path) -> None:
    """Remove what a killed process of ours left unfinished in `folder`."""
    for left in folder.glob(f"{TEMPORARY}*") if folder.is_dir() else ():
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
        else:
            with suppress(OSError):
                left.unlink()
