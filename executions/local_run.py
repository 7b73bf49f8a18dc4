"""Runs the user's own pytest in the user's own interpreter, recorded by the client's plugin.

The environment of that process is the caller's: what Runtrail set for itself must not reach the tests,
which may well be those of another Django project.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

OURS = ("RUNTRAIL_DB", "RUNTRAIL_PROJECT", "RUNTRAIL_SUPERVISOR")
OUR_SETTINGS = "config.settings"
BY_SIGNAL = 128  # what a shell adds to the number of the signal that ended a program


class NoPython(Exception):
    """There is no interpreter to run the tests with; the text says what was tried."""


@dataclass(frozen=True)
class Recorder:
    """Where the plugin lies, and where it writes; without `report` it sends by itself."""

    source: Path
    report: Path | None

    @property
    def arguments(self) -> list[str]:
        how = f"--runtrail-report={self.report}" if self.report else "--runtrail"
        return ["-p", "runtrail.plugin", how]


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


def environment_for_tests(
    environment: Mapping[str, str], recorder: Recorder, *, is_sent: bool
) -> dict[str, str]:
    """The caller's variables, and those that bring the plugin in."""
    kept = {name: value for name, value in environment.items() if name not in OURS}
    if kept.get("DJANGO_SETTINGS_MODULE") == OUR_SETTINGS:
        del kept["DJANGO_SETTINGS_MODULE"]
    if not is_sent:
        kept.pop("RUNTRAIL_URL", None)
    kept["PYTHONPATH"] = os.pathsep.join(filter(None, [str(recorder.source), kept.get("PYTHONPATH")]))
    kept.setdefault("RUNTRAIL_SPACE", "local")
    return kept


def run_pytest(
    python: str, arguments: Sequence[str], recorder: Recorder, folder: Path, environment: Mapping[str, str]
) -> int:
    """Run pytest with its output going where ours goes; return its exit code.

    Ctrl-C reaches pytest from the terminal, and SIGTERM is passed on: pytest ends as it does, and what
    it recorded until then is kept.
    """
    process = subprocess.Popen(
        [python, "-m", "pytest", *recorder.arguments, *arguments], cwd=folder, env=dict(environment)
    )

    def pass_on(number: int, frame: FrameType | None) -> None:
        process.send_signal(number)

    interrupted = signal.signal(signal.SIGINT, signal.SIG_IGN)
    terminated = signal.signal(signal.SIGTERM, pass_on)
    try:
        code = process.wait()
    finally:
        signal.signal(signal.SIGINT, interrupted)
        signal.signal(signal.SIGTERM, terminated)
    return code if code >= 0 else BY_SIGNAL - code


def end_report(recorder: Recorder) -> None:
    """Give the report an end where pytest was killed before it wrote one."""
    subprocess.run(
        [sys.executable, "-m", "runtrail", "close", str(recorder.report)],
        env={**os.environ, "PYTHONPATH": str(recorder.source)},
        stdout=subprocess.DEVNULL,
        check=False,
    )


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
