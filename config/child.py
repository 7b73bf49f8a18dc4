"""One program of the server's process tree: start it, know how it ended, end it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from config.attached import in_own_session
from tracking import job_wrapper

LOG_LIMIT = 20_000_000  # bytes; a longer log is begun anew at the next start
QUICK = 5.0  # seconds; a child that lived shorter died quickly
LONGEST_PAUSE = 10.0  # seconds until a child that dies again and again is started again
# Asked to end its work, told to drop it, ended; with the seconds that each is given.  Celery's worker gives
# a task back when it is told to drop it.
LAST_SIGNALS = ((signal.SIGTERM, 2.0), (signal.SIGQUIT, 1.0), (signal.SIGKILL, 5.0))


@dataclass
class Child:
    """A program of the tree; `quick_deaths` counts those in a row.

    `when_orphaned` is the signal that it gets when the supervisor ends without having ended it.
    """

    name: str
    command: list[str]
    log: Path
    when_orphaned: signal.Signals = signal.SIGKILL
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    quick_deaths: int = 0
    again_at: float = field(default=float("inf"))

    def start(self) -> None:
        grown = self.log.exists() and self.log.stat().st_size > LOG_LIMIT
        own = f"{os.getpid()}:{job_wrapper.start_of(os.getpid())}"
        with self.log.open("wb" if grown else "ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=settings.BASE_DIR,
                env={"RUNTRAIL_LOG_LEVEL": "INFO", **os.environ, "RUNTRAIL_SUPERVISOR": own},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=in_own_session(self.when_orphaned),
            )
        self.started, self.again_at = time.monotonic(), float("inf")

    def note_end(self) -> str:
        """Where it has ended by itself: end what it left, plan its next start; return what to say of it."""
        code = self.process.poll() if self.process else None
        if self.process is None or code is None:
            return ""
        # A worker's pool may outlive it and go on with tasks that are about to be given back.
        job_wrapper.kill_group(self.process.pid, signal.SIGKILL)
        lived = time.monotonic() - self.started
        self.quick_deaths = self.quick_deaths + 1 if lived < QUICK else 0
        self.process, pause = None, self._pause()
        said = f"{self.name} ended ({_ending(code)}); starting it again in {pause:.1f} s"
        if self.quick_deaths == 5:
            said += f"\n{self.name} keeps ending. The last lines of {self.log}:\n{self.tail()}"
        return said

    def put_off(self, problem: str) -> str:
        """Plan the next start of a program that could not be started; return what to say of it."""
        self.quick_deaths += 1
        pause = self._pause()
        if self.process:
            job_wrapper.kill_group(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None
        return f"{self.name} can't be started; trying again in {pause:.1f} s: {problem}"

    def _pause(self) -> float:
        pause = min(0.5 * 2**self.quick_deaths, LONGEST_PAUSE)
        self.again_at = time.monotonic() + pause
        return pause

    @property
    def is_due(self) -> bool:
        """Whether it is to be started again now."""
        return time.monotonic() >= self.again_at

    def tail(self, lines: int = 15) -> str:
        """The last lines of its log."""
        with contextlib.suppress(OSError):
            if last := self.log.read_text(errors="replace").splitlines()[-lines:]:
                return "\n".join(last)
        return "(nothing was logged)"


def end_together(children: list[Child]) -> None:
    """Ask all to end at once, then make them; return when none of them nor of what they forked is left."""
    left = [child.process for child in children if child.process]
    for number, seconds in LAST_SIGNALS:
        for process in left:
            if number == signal.SIGKILL:
                job_wrapper.kill_group(process.pid, number)
            else:
                process.send_signal(number)
        deadline = time.monotonic() + seconds
        while (
            left := [process for process in left if process.poll() is None]
        ) and time.monotonic() < deadline:
            time.sleep(0.02)
    for child in children:
        if child.process:
            job_wrapper.kill_group(child.process.pid, signal.SIGKILL)


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
