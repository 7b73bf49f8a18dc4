"""What git knows of the working tree: branch, commit, and the tree that it would write of it.

Nothing of the repository is changed: the hash is made with an index and an object folder of its own.
Every step has a limit, and where git can't answer in time there is no answer.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

QUESTION = 3.0  # seconds for one question to git
# What running tests writes itself counts as git has it: else no two sessions would run the same code.
LEFT_OUT = (
    *("test_batch_logs/**", "performance_track_summary.json"),
    *("__pycache__/**", ".pytest_cache/**", ".hypothesis/**"),
)
_EXCLUDED = [f":(top,exclude,glob)**/{name}" for name in LEFT_OUT]


class WorkingTree:
    """The checkout around `folder`; falsy where there is none, or no git.

    `environment` is the process's own: inside a git hook it names the index of the commit being made.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        quiet = {
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_NO_LAZY_FETCH": "1",
            "LC_ALL": "C",
        }
        self._folder = folder
        self._environment = {**environment, **quiet}
        self._environment.pop("GIT_LITERAL_PATHSPECS", None)
        self.top = self.branch = self.commit = ""
        self._hashing: subprocess.Popen[Any] | None = None
        self._scratch = ""
        self._ask_where()

    def __bool__(self) -> bool:
        return bool(self.top)

    def _ask_where(self) -> None:
        paths = self._git(
            "rev-parse", "--show-toplevel", "--git-path", "index", "--git-path", "objects"
        ).splitlines()
        if len(paths) != 3:
            return
        self.top = paths[0]
        self._index, self._objects = (str(self._folder / path) for path in paths[1:])
        self.commit = self._git("rev-parse", "--verify", "--quiet", "HEAD")
        self.branch = self._git("symbolic-ref", "--quiet", "--short", "HEAD") if self.commit else ""

    @property
    def directory(self) -> str:
        """The folder, relative to the top of the repository; empty at the top."""
        relative = os.path.relpath(os.path.realpath(self._folder), os.path.realpath(self.top))
        return "" if relative == "." or relative.startswith("..") else relative.replace(os.sep, "/")

    def begin_hashing(self) -> None:
        """Start to hash the working tree beside whatever the caller does next."""
        if not self.top:
            return
        try:
            self._scratch = tempfile.mkdtemp(prefix="runtrail-tree-")
            index, objects = Path(self._scratch, "index"), Path(self._scratch, "objects")
            objects.mkdir()
            if Path(self._index).exists():
                # With its time: git reads again what was changed within the same second as the index.
                shutil.copy2(self._index, index)
            others = self._environment.get("GIT_ALTERNATE_OBJECT_DIRECTORIES")
            self._environment["GIT_INDEX_FILE"] = str(index)
            self._environment["GIT_OBJECT_DIRECTORY"] = str(objects)
            self._environment["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = os.pathsep.join(
                filter(None, [_quoted(self._objects), others])
            )
            self._hashing = subprocess.Popen(
                [*_GIT, "add", "--all", "--", ":/", *_EXCLUDED],
                cwd=self.top,
                env=self._environment,
                **_SILENT,
            )
        except OSError:
            self._clear()

    def finish_hashing(self, within: float) -> str:
        """Return the hash of the tree; empty where git did not have it `within` seconds from now."""
        if self._hashing is None:
            return ""
        try:
            if self._hashing.wait(within) != 0:
                return ""
            return self._git("write-tree", "--missing-ok")
        except subprocess.TimeoutExpired:
            return ""
        finally:
            self._clear()

    def _git(self, *words: str) -> str:
        try:
            done = subprocess.run(
                [*_GIT, *words],
                cwd=self.top or self._folder,
                env=self._environment,
                timeout=QUESTION,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else ""

    def _clear(self) -> None:
        if self._hashing is not None and self._hashing.poll() is None:
            self._hashing.kill()
            self._hashing.wait()
        self._hashing = None
        if self._scratch:
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch = ""


def _quoted(path: str) -> str:
    """A path as git reads it in a list of paths."""
    if os.pathsep in path or path.startswith('"'):
        return '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return path


_GIT = (
    *("git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.looseCompression=0"),
    *("-c", "advice.addEmbeddedRepo=false", "-c", "gc.auto=0", "-c", "core.safecrlf=false"),
)
_SILENT: dict[str, Any] = {
    "stdin": subprocess.DEVNULL,
    "stdout": subprocess.DEVNULL,
    "stderr": subprocess.DEVNULL,
}
