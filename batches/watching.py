"""Follow what is changed in a workspace, as git would see it: debounced, and without what it ignores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event

from pathspec import GitIgnoreSpec
from watchfiles import watch as changes

from batches.workspace import LOGS

DEBOUNCE = 600  # milliseconds of quiet: an editor's save is several changes of several names
NEVER = [".git/", f"{LOGS}/", "__pycache__/", ".pytest_cache/", ".hypothesis/", ".runtrail-*"]
LEAVINGS = ["*.sw?", "*~", "4913", ".#*", "#*#", "*.tmp", "*.orig", "___jb_*___"]


def watch(root: Path, stop: Event | None = None) -> Iterator[str]:
    """Yield the paths that were created, changed, renamed or deleted, relative to `root`."""
    for found in changes(root, debounce=DEBOUNCE, step=100, stop_event=stop, raise_interrupt=True):
        ignored = ignored_by(root)
        paths = {Path(name).relative_to(root).as_posix() for _, name in found}
        yield from sorted(path for path in paths if is_edit(root, path, ignored))


def is_edit(root: Path, path: str, ignored: GitIgnoreSpec) -> bool:
    place = root / path
    return not ignored.match_file(path) and (place.is_symlink() or not place.is_dir())


def ignored_by(root: Path) -> GitIgnoreSpec:
    """Return the rules of every `.gitignore`, the nearer ones later, and what is never recorded last."""
    lines: list[str] = []
    for place in sorted(root.rglob(".gitignore"), key=lambda found: len(found.parts)):
        folder = place.parent.relative_to(root).as_posix()
        prefix = "" if folder == "." else f"{folder}/"
        lines += [_below(line, prefix) for line in place.read_text(errors="replace").splitlines()]
    return GitIgnoreSpec.from_lines([*lines, *LEAVINGS, *NEVER])


def _below(line: str, prefix: str) -> str:
    """A rule as it reads from the top of the workspace."""
    if not prefix or not line.strip() or line.startswith("#"):
        return line
    sign, rule = ("!", line[1:]) if line.startswith("!") else ("", line)
    is_anchored = "/" in rule.rstrip().rstrip("/")
    return f"{sign}/{prefix}{rule.lstrip('/')}" if is_anchored else f"{sign}/{prefix}**/{rule}"
