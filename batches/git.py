"""What git knows of a workspace, asked without touching its index or its history."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def ask(folder: Path, *words: str) -> bytes | None:
    """Return what `git WORDS` prints; None where it fails or there is no git."""
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "GIT_PREFIX"):
        environment.pop(name, None)  # a hook has those of the repository that it runs for
    try:
        done = subprocess.run(
            ["git", *words], cwd=folder, env=environment, capture_output=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def text(folder: Path, *words: str) -> str:
    return (ask(folder, *words) or b"").decode("utf-8", "replace").strip()


def top_level(folder: Path) -> Path:
    """Return the top of the repository around `folder`, else the folder itself."""
    top = text(folder, "rev-parse", "--show-toplevel")
    return Path(top) if top else folder


def commit(folder: Path) -> str:
    return text(folder, "rev-parse", "--verify", "--quiet", "HEAD")


def branch(folder: Path) -> str:
    return text(folder, "symbolic-ref", "--quiet", "--short", "HEAD")


def entry_at(folder: Path, revision: str, path: str) -> tuple[str, bytes] | None:
    """Return git's mode and the content of `path` in `revision`; None where it has none."""
    line = ask(folder, "ls-tree", "-z", revision, "--", path)
    if not line:
        return None
    mode, kind, name = line.split(b"\t")[0].split()
    if kind != b"blob":
        return None
    content = ask(folder, "cat-file", "blob", name.decode())
    return None if content is None else (mode.decode(), content)


def untracked(folder: Path) -> list[str] | None:
    """Return the paths that git neither tracks nor ignores; None where there is no repository."""
    found = ask(folder, "ls-files", "-z", "--others", "--exclude-standard")
    return None if found is None else [os.fsdecode(name) for name in found.split(b"\0") if name]
