"""What git knows of a workspace, asked without touching its index or its history."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_PLAIN = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
# A hook has those of the repository that it runs for.
_OTHERS = ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY")
LINK, PROGRAM = "120000", "100755"


@dataclass(frozen=True)
class Committed:
    """A file as a revision has it; `mode` is git's."""

    folder: Path
    mode: str
    blob: str
    named: str

    @contextmanager
    def content(self) -> Iterator[IO[bytes]]:
        """Open the content as a checkout would write it.

        Raises:
            OSError: git can't give it.
        """
        words = (
            ["cat-file", "blob", self.blob] if self.mode == LINK else ["cat-file", "--filters", self.named]
        )
        with subprocess.Popen(
            ["git", *words],
            cwd=self.folder,
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            if process.stdout is None:
                raise OSError("git gives nothing")
            yield process.stdout
        if process.returncode:
            raise OSError(f"git could not give {self.named}.")


def ask(folder: Path, *words: str, given: bytes | None = None) -> bytes | None:
    """Return what `git WORDS` prints; None where it fails or there is no git."""
    if not any((place / ".git").exists() for place in (folder, *folder.absolute().parents)):
        return None  # cheaper than to let git find that out
    try:
        done = subprocess.run(
            ["git", *words],
            cwd=folder,
            env=_environment(),
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def text(folder: Path, *words: str) -> str:
    return (ask(folder, *words) or b"").decode("utf-8", "replace").strip()


def top_level(folder: Path) -> Path:
    """Return the top of the repository around `folder`, else the folder itself."""
    found = ask(folder, "rev-parse", "--show-toplevel")
    return Path(os.fsdecode(found.removesuffix(b"\n"))) if found else folder


def commit(folder: Path) -> str:
    return text(folder, "rev-parse", "--verify", "--quiet", "HEAD")


def branch(folder: Path) -> str:
    return text(folder, "symbolic-ref", "--quiet", "--short", "HEAD")


def committed(root: Path, path: str, revision: str) -> Committed | None:
    """Return `path` as `revision` has it, in whatever repository it lies; None where it has none."""
    folder, name = _asked_from(root, path)
    line = ask(folder, "ls-tree", "-z", revision, "--", name)
    if not line:
        return None
    mode, kind, blob = line.split(b"\t")[0].split()
    if kind != b"blob":
        return None
    return Committed(folder, mode.decode(), blob.decode(), f"{revision}:./{name}")


def knows(root: Path, path: str, revision: str) -> bool:
    """Whether the repository in which `path` lies has a commit; one in a folder below may not."""
    words = ("cat-file", "-e", f"{revision}^{{commit}}")
    return bool(revision) and ask(_asked_from(root, path)[0], *words) is not None


def covers(root: Path, path: str) -> bool:
    """Whether the repository of `root` itself has an eye on `path`: not ignored, in no repository below."""
    folder, name = _asked_from(root, path)
    if top_level(folder) != top_level(root):
        return False
    return ask(folder, "check-ignore", "--quiet", "--", name) is None


def ignored(folder: Path, paths: list[str]) -> set[str] | None:
    """Return which of `paths` git ignores; None where there is no repository."""
    if ask(folder, "rev-parse", "--is-inside-work-tree") is None:
        return None
    given = b"\0".join(os.fsencode(path) for path in paths) + b"\0"
    found = ask(folder, "check-ignore", "-z", "--stdin", given=given) or b""  # it fails where there is none
    return {os.fsdecode(name) for name in found.split(b"\0") if name}


def uncommitted(folder: Path) -> list[str] | None:
    """Return the paths that git does not track or that differ from what it has, none that it ignores.

    None where there is no repository.
    """
    new = ask(folder, "ls-files", "-z", "--others", "--exclude-standard")
    if new is None or ask(folder, "check-ignore", "--quiet", "--", ".") is not None:
        return None  # in a folder that it ignores, the repository around has no eye on anything
    changed = ask(folder, "diff-index", "-z", "--name-only", "--relative", "HEAD", "--")
    if changed is None:  # nothing was committed yet
        changed = ask(folder, "ls-files", "-z") or b""
    names = {os.fsdecode(name) for name in {*new.split(b"\0"), *changed.split(b"\0")} if name}
    return sorted(name for name in names if not name.endswith("/"))  # that is a repository below


def _asked_from(root: Path, path: str) -> tuple[Path, str]:
    """The nearest folder above `path` that is there, and the rest: it may lie in a repository of its own."""
    place = root / path
    folder = place.parent
    while not folder.is_dir() and folder != root:
        folder = folder.parent
    return folder, place.relative_to(folder).as_posix()


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _OTHERS}
    return {**kept, **_PLAIN}
