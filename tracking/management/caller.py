"""What a command knows of whoever called it: their name, and the checkout they stand in."""

from __future__ import annotations

import getpass
import os
import socket
import subprocess
from pathlib import Path


def caller_name() -> str:
    """Return `user@host`; a user without a name (in many containers) is shown by number."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = f"user-{os.getuid()}"
    return f"{user}@{socket.gethostname()}"


def checkout(folder: Path) -> tuple[str, str]:
    """Return the branch and commit checked out in `folder`; empty where git can tell nothing."""
    commit = _git(folder, "rev-parse", "--verify", "HEAD")
    branch = _git(folder, "symbolic-ref", "--quiet", "--short", "HEAD") if commit else ""
    return branch, commit


def _git(folder: Path, *words: str) -> str:
    try:
        asked = subprocess.run(
            ["git", *words], cwd=folder, capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return asked.stdout.strip() if asked.returncode == 0 else ""
