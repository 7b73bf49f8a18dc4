"""Runs the user's own pytest in the user's own interpreter, recorded by the client's plugin.

The environment of that process is the caller's: what Runtrail set for itself must not reach the tests,
which may well be those of another Django project.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

OURS = ("RUNTRAIL_DB", "RUNTRAIL_PROJECT", "RUNTRAIL_SUPERVISOR")
OUR_SETTINGS = "config.settings"
BY_SIGNAL = 128  # what a shell adds to the number of the signal that ended a program


@dataclass(frozen=True)
class Recorder:
    """Where the plugin lies, and where it writes; without `report` it sends by itself."""

    source: Path
    report: Path | None

    @property
    def arguments(self) -> list[str]:
        how = f"--runtrail-report={self.report}" if self.report else "--runtrail"
        return ["-p", "runtrail.plugin", how]


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
