"""git's post-commit hook that records what a commit changed; whatever hook was there goes on working."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from batches import git
from batches.store import write_atomically

BEGIN, END = "# >>> runtrail batch", "# <<< runtrail batch"


class NoRepository(OSError):
    """There is no git repository to put a hook into."""


def install_hook(root: Path, program: Path) -> str:
    """Add our part at the end of post-commit; a second time replaces it."""
    place = _place(root)
    before = _without(place.read_text()) if place.exists() else "#!/bin/sh\n"
    if not before.startswith("#!") or "sh" not in before.partition("\n")[0]:
        raise NoRepository(f"{place} is no shell script: call `batch record FILE` from it yourself.")
    part = _part(program)
    place.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(place, f"{before.rstrip()}\n{part}".encode(), 0o755)
    return f"Installed: {place} records the files of every commit. --uninstall takes it out."


def remove_hook(root: Path) -> str:
    """Take our part out; a hook that held nothing else goes."""
    place = _place(root)
    if not place.exists() or BEGIN not in place.read_text():
        return "No hook of ours is installed."
    rest = _without(place.read_text())
    if rest.strip() in {"", "#!/bin/sh"}:
        place.unlink()
    else:
        write_atomically(place, rest.encode(), 0o755)
    return f"Taken out of {place}."


def _place(root: Path) -> Path:
    found = git.text(root, "rev-parse", "--git-path", "hooks/post-commit")
    if not found:
        raise NoRepository(f"{root} is no git repository; there is no hook to install.")
    return Path(os.path.normpath(root / found))


def _without(text: str) -> str:
    head, found, rest = text.partition(BEGIN)
    return head.rstrip() + "\n" + rest.partition(END)[2].lstrip("\n") if found else text


def _part(program: Path) -> str:
    record = f'{shlex.quote(str(program))} batch record "./$file" --description="$(git log -1 --pretty=%B)"'
    return f"""{BEGIN}
# Records what this commit changed; it never makes a commit fail.
(
  unset GIT_DIR GIT_INDEX_FILE GIT_WORK_TREE
  cd "$(git rev-parse --show-toplevel)" || exit 0
  git -c core.quotePath=off diff-tree --root --no-commit-id --name-only -r HEAD | while IFS= read -r file; do
    case $file in test_batch_logs/*) continue ;; *.py) ;; *) continue ;; esac
    {record} </dev/null || :
  done
) || :
{END}
"""
