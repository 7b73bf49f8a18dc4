"""Wake an event loop at a time, to some hundredths of a millisecond and without spinning.

libuv's own timers count whole milliseconds.  Linux has timers that are files: the loop sleeps on them
like on a socket.  Elsewhere the last millisecond is spun away.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import sys
from collections.abc import Callable
from time import perf_counter

_MONOTONIC, _ABSOLUTE = 1, 1  # the clock of perf_counter, and times on it instead of from now
_SOON = 30e-6  # seconds; below that, another turn of the loop is quicker than a timer


class Alarm:
    """Calls `callback` at the time set last."""

    def __init__(self, loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
        self.loop, self.callback, self.file = loop, callback, -1
        self.due = 0.0
        if sys.platform == "linux":
            self.system = ctypes.CDLL(None, use_errno=True)
            self.file = self.system.timerfd_create(_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self.file >= 0:
            self.spec = (ctypes.c_long * 4)()
            loop.add_reader(self.file, self._ring)

    def set(self, due: float) -> None:
        """Ring at `due`, a time of perf_counter."""
        gap = due - perf_counter()
        if gap < _SOON:
            self.loop.call_soon(self.callback)
        elif self.file >= 0:
            seconds = int(due)
            self.spec[2], self.spec[3] = seconds, int((due - seconds) * 1e9)
            self.system.timerfd_settime(self.file, _ABSOLUTE, self.spec, None)
        else:
            self.due = due
            self._wait()

    def close(self) -> None:
        if self.file >= 0:
            self.loop.remove_reader(self.file)
            os.close(self.file)
            self.file = -1

    def _ring(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self.file, 8)
            self.callback()

    def _wait(self) -> None:
        gap = self.due - perf_counter()
        if gap <= 0:
            self.callback()
        elif gap > 0.002:
            self.loop.call_later(gap - 0.001, self._wait)
        else:
            self.loop.call_soon(self._wait)
