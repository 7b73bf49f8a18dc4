"""Which Python runs the user's tests: never Runtrail's own by accident (docs/decisions/0018)."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path


class NoPython(Exception):
    """There is no interpreter to run the tests with; the text says what was tried."""


def find_python(
    folder: Path,
    environment: Mapping[str, str],
    *,
    chosen: str = "",
    of_workspace: str = "",
    own: Path,
    needs_pytest: bool = True,
) -> str:
    """Return the interpreter for the tests in `folder`, one that has pytest if it `needs_pytest`.

    What was chosen is taken as it is; else the first that is there of the workspace's setting, the
    active virtual environment, `.venv` in the folder or above it, and `python3`.  The environment `own`,
    Runtrail's, is taken only for tests that lie beside it.

    Raises:
        NoPython: none is there, or the one has no pytest.
    """
    named = chosen or of_workspace
    if named:
        found = shutil.which(named, path=environment.get("PATH")) or ""
        if not found:
            raise NoPython(f"There is no Python at {named!r}.")
        return _with_pytest(found, environment) if needs_pytest else found
    for candidate in _candidates(folder, environment):
        if Path(candidate).is_file() and not _is_ours(candidate, own, folder):
            return _with_pytest(candidate, environment) if needs_pytest else candidate
    raise NoPython("There is no Python here: name one with --python, or activate a virtual environment.")


def _candidates(folder: Path, environment: Mapping[str, str]) -> Iterator[str]:
    if environment.get("VIRTUAL_ENV"):
        yield str(Path(environment["VIRTUAL_ENV"]) / "bin" / "python")
    for place in [folder, *folder.parents]:
        yield str(place / ".venv" / "bin" / "python")
        if (place / ".git").exists():
            break
    for folder_of_programs in environment.get("PATH", os.defpath).split(os.pathsep):
        yield str(Path(folder_of_programs) / "python3")


def _is_ours(candidate: str, own: Path, folder: Path) -> bool:
    """Whether `candidate` is Runtrail's own environment, and the tests are not Runtrail's."""
    return Path(candidate).parent.parent.resolve() == own.resolve() and own.parent not in [
        folder,
        *folder.parents,
    ]


def _with_pytest(python: str, environment: Mapping[str, str]) -> str:
    has_it = "import importlib.util, sys; sys.exit(importlib.util.find_spec('pytest') is None)"
    try:
        asked = subprocess.run(
            [python, "-c", has_it], env=dict(environment), capture_output=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise NoPython(f"{python} can't be run: {problem}.") from None
    if asked.returncode:
        raise NoPython(f"{python} has no pytest: install it there, or name another one with --python.")
    return python
