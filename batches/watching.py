"""Follow what is changed in a workspace, as git would see it: debounced, and without what it ignores."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from threading import Event

from pathspec import GitIgnoreSpec
from watchfiles import watch as changes

from batches import git
from batches.stock import LEFT_OUT
from batches.workspace import LOGS

LOOK = 300  # milliseconds
DEBOUNCE = 600  # milliseconds of quiet: an editor's save is several changes of several names
NEVER = [".git", ".git/", f"{LOGS}/", "__pycache__/", ".pytest_cache/", ".hypothesis/", ".runtrail-*"]
LEAVINGS = ["*.sw?", "*~", "4913", ".#*", "#*#", "*.tmp", "*.orig", "___jb_*___"]


def watch(root: Path, stop: Event | None = None) -> Iterator[list[str]]:
    """Yield the paths that were created, changed, renamed or deleted at once, relative to `root`.

    The first list comes when watching has begun, and may be empty.
    """
    going = changes(
        root,
        debounce=DEBOUNCE,
        step=100,
        stop_event=stop,
        rust_timeout=LOOK,
        yield_on_timeout=True,
        raise_interrupt=True,
    )
    has_begun = False
    for found in going:
        paths = sorted({Path(name).relative_to(root).as_posix() for _, name in found})
        edits = only_edits(root, paths)
        if edits or not has_begun:
            has_begun = True
            yield edits


def only_edits(root: Path, paths: list[str]) -> list[str]:
    """Leave out folders, what git ignores, and what editors and we ourselves leave behind."""
    never = GitIgnoreSpec.from_lines([*LEAVINGS, *NEVER])
    paths = [path for path in paths if not never.match_file(path) and not _is_folder(root / path)]
    ignored = git.ignored(root, paths) if paths else set()
    if ignored is None:
        rules = rules_of(root)
        ignored = {path for path in paths if rules.match_file(path)}
    return [path for path in paths if path not in ignored]


def rules_of(root: Path) -> GitIgnoreSpec:
    """Return the rules of every `.gitignore` where there is no git to ask, the nearer ones later."""
    lines: list[str] = []
    for place in sorted(_gitignores(root), key=lambda found: len(found.parts)):
        folder = place.parent.relative_to(root).as_posix()
        prefix = "" if folder == "." else f"{folder}/"
        lines += [_below(line, prefix) for line in place.read_text(errors="replace").splitlines()]
    return GitIgnoreSpec.from_lines(lines)


def _gitignores(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in LEFT_OUT and name not in {".git", ".venv"}]
        if ".gitignore" in names:
            yield Path(folder) / ".gitignore"


def _is_folder(place: Path) -> bool:
    return place.is_dir() and not place.is_symlink()


def _below(line: str, prefix: str) -> str:
    """A rule as it reads from the top of the workspace."""
    if not prefix or not line.strip() or line.startswith("#"):
        return line
    sign, rule = ("!", line[1:]) if line.startswith("!") else ("", line)
    is_anchored = "/" in rule.rstrip().rstrip("/")
    return f"{sign}/{prefix}{rule.lstrip('/')}" if is_anchored else f"{sign}/{prefix}**/{rule}"
