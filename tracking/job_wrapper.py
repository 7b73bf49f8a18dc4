"""Run one local job once and write down what became of it.  A program of its own, standard library only.

`python job_wrapper.py FOLDER` reads FOLDER/job.json and leaves FOLDER/start.json, output.log and end.json.
Whoever started it may die: it lives in a session of its own and owes nobody an answer.

* FOLDER/lock is held for its whole life, so that a runner can tell a living wrapper from a dead one
  whatever its process number is used for by now.
* FOLDER/begun is made before the job's process is.  A second wrapper that finds it goes away, so a runner
  that died between starting and noting it may start it again, and the job still runs once.
* FOLDER/cancel is somebody's wish to end it.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

POLL = 0.1  # seconds between two looks at the limit, the wish to cancel and the server
KILL_AFTER = 2.0  # seconds between asking the job to end and ending it
CHUNK = 65536


def main(folder: Path) -> int:
    os.chdir(folder)
    with Path("lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return 0  # another wrapper has this job
        try:
            Path("begun").touch(exist_ok=False)
        except FileExistsError:
            return 0  # it ran already
        return Job(json.loads(Path("job.json").read_text())).run()


class Job:
    """One job from its start to the line about its end."""

    def __init__(self, order: dict[str, Any]) -> None:
        self.order = order
        self.ending = ""  # why it was asked to end: cancelled, timed_out, lost
        self.kill_at = float("inf")
        self.process: subprocess.Popen[bytes] | None = None

    def run(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: self.end("cancelled"))
        started_at = time.time()
        try:
            self.process = self.start()
        except (OSError, ValueError) as problem:
            write("start.json", {"wrapper": os.getpid(), "started_at": None})
            reason = f"{self.order['command'][0]}: {getattr(problem, 'strerror', None) or problem}"
            write(
                "end.json",
                {"exit_code": None, "completed_at": time.time(), "reason": f"could not start: {reason}"},
            )
            return 0
        write(
            "start.json",
            {
                "wrapper": os.getpid(),
                "pid": self.process.pid,
                "pid_start": start_of(self.process.pid),
                "started_at": started_at,
            },
        )
        self.follow()
        exit_code = self.process.wait()
        completed_at = time.time()
        kill_group(self.process.pid, signal.SIGKILL)  # what it left running in the background
        write("end.json", {"exit_code": exit_code, "completed_at": completed_at, "ending": self.ending})
        return 0

    def start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self.order["command"],
            cwd=self.order["folder"] or None,
            env=self.order["variables"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )

    def follow(self) -> None:
        """Keep the output and watch over the job until its output ends or it has ended."""
        assert self.process is not None and self.process.stdout is not None  # noqa: S101, PT018
        deadline = time.monotonic() + self.order["time_limit"]
        output = Output(self.order["output_limit"])
        with selectors.DefaultSelector() as selector, contextlib.closing(output):
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while True:
                if selector.select(POLL):
                    chunk = os.read(self.process.stdout.fileno(), CHUNK)
                    if not chunk:
                        return
                    output.add(chunk)
                if self.process.poll() is not None and not selector.select(0):
                    return  # a child of it may hold the pipe open for ever
                self.watch(deadline)

    def watch(self, deadline: float) -> None:
        now = time.monotonic()
        if now > self.kill_at:
            kill_group(self.process.pid if self.process else 0, signal.SIGKILL)
        elif not self.ending:
            if now > deadline:
                self.end("timed_out")
            elif Path("cancel").exists():
                self.end("cancelled")
            elif not is_alive(self.order.get("supervisor")):
                self.end("lost")

    def end(self, why: str) -> None:
        if not self.ending and self.process:
            self.ending, self.kill_at = why, time.monotonic() + KILL_AFTER
            kill_group(self.process.pid, signal.SIGTERM)


class Output:
    """The job's output in a file, up to a limit; what is more is counted and dropped."""

    def __init__(self, limit: int) -> None:
        self.left, self.dropped = limit, 0
        self.file = Path("output.log").open("wb", buffering=0)  # noqa: SIM115 - closed by close

    def add(self, chunk: bytes) -> None:
        kept = chunk[: self.left]
        self.left -= len(kept)
        self.dropped += len(chunk) - len(kept)
        try:
            self.file.write(kept)
        except OSError:  # the disk is full; the job goes on without its output
            self.dropped += len(kept)
            self.left = 0

    def close(self) -> None:
        with contextlib.suppress(OSError):
            if self.dropped:
                self.file.write(f"\n[{self.dropped:,} more bytes of output were not kept]\n".encode())
            self.file.close()


def write(name: str, content: dict[str, Any]) -> None:
    """Write a file whole or not at all; on a full disk try for a minute: it is all that is known."""
    for attempt in range(60):
        try:
            draft = Path(f"{name}.draft")
            draft.write_text(json.dumps(content))
            draft.replace(name)
        except OSError:
            if attempt == 59:
                raise
            time.sleep(1)
        else:
            return


def kill_group(leader: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if leader:
            os.killpg(leader, number)


def is_alive(process: str | None) -> bool:
    """Whether the process `number:start` is there; True where none was named or nothing can be told."""
    if not process or not Path("/proc/self/stat").exists():
        return True
    number, _, started = process.partition(":")
    return start_of(int(number)) == started


def start_of(process: int) -> str:
    """The kernel's start time of a process; empty where there is no such process."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return ""
    state, *fields = stat.rpartition(")")[2].split()
    return "" if state == "Z" else fields[18]


def die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
