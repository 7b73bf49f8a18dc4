"""One program of the user's, in a process group of its own that ends with it, with bounded output."""

from __future__ import annotations

import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

KEPT = 200_000  # bytes of output, the last ones
_PATIENCE = 3.0  # seconds between asking a group to end and ending it
_WATCH = "import os, sys; os.read(0, 1); os.killpg(int(sys.argv[1]), 9)"  # the pipe ends with us
_LIBC = ctypes.CDLL(None)  # loaded before a fork: loading takes locks


class Cancelled(Exception):
    """Somebody asked for the end of it."""


@dataclass(frozen=True)
class Ended:
    code: int
    output: str
    was_late: bool


def run_bounded(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    *,
    timeout: float,
    show: Callable[[str], None] | None = None,
    is_cancelled: Callable[[], bool] | None = None,
) -> Ended:
    """Run a fixed list of arguments without a shell; whatever it started ends with it.

    `show` gets the output as it comes.  On an interruption the group is ended and the exception goes on.

    Raises:
        Cancelled: `is_cancelled` said so.
    """
    process = subprocess.Popen(
        list(command),
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=_own_session(),
    )
    kept = bytearray()
    guard = None
    try:
        guard = _guard(process.pid)
        was_late = _follow(process, kept, time.monotonic() + timeout, show, is_cancelled)
    finally:
        end_group(process)
        if guard:
            guard.kill()
            guard.communicate()
        if process.stdout:
            process.stdout.close()
    return Ended(process.returncode, kept.decode("utf-8", "replace").replace("\0", ""), was_late)


def _own_session() -> Callable[[], None]:
    """A session of its own, which ends when we are killed: tests that nobody waits for help nobody."""
    parent = os.getpid()

    def prepare() -> None:
        os.setsid()
        if sys.platform == "linux":
            _LIBC.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
            if os.getppid() != parent:
                os._exit(1)

    return prepare


def _guard(group: int) -> subprocess.Popen[bytes]:
    """A process that ends the group when we are killed: the children of the tests outlive the tests."""
    return subprocess.Popen(
        [sys.executable, "-S", "-E", "-c", _WATCH, str(group)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _follow(
    process: subprocess.Popen[bytes],
    kept: bytearray,
    until: float,
    show: Callable[[str], None] | None,
    is_cancelled: Callable[[], bool] | None,
) -> bool:
    """Read until the program ended; True when its time was over first."""
    if process.stdout is None:
        raise ValueError("The output has to be a pipe.")
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            is_over = process.poll() is not None
            has_more = bool(selector.select(0 if is_over else 0.2))
            chunk = os.read(process.stdout.fileno(), 65536) if has_more else b""
            if chunk:
                kept += chunk
                del kept[:-KEPT]
                if show:
                    show(chunk.decode("utf-8", "replace"))
            elif is_over:
                return False
            elif has_more:  # it closed its output and goes on
                time.sleep(0.05)
            if time.monotonic() > until:
                return True
            if is_cancelled and is_cancelled():
                raise Cancelled("Cancelled.")


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Ask the process group to end, then end it; the group outlives its leader."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except (ProcessLookupError, PermissionError):
            break
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            continue
    process.wait()
