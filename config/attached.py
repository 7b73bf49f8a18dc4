"""Processes that end when the process that started them does, however that ended.

`python -m config.attached MODULE ARGS` is `python -m MODULE ARGS`, and what it forks is attached to it: the
workers of gunicorn and Celery outlive a killed master otherwise, and go on with what another is about to do.
Linux only.  The kernel means the thread that forked; both programs fork in their main thread.
"""

from __future__ import annotations

import ctypes
import os
import runpy
import signal
import sys
from collections.abc import Callable

_LIBC = ctypes.CDLL(None)  # loaded before a fork: loading takes locks


def attach(parent: int, number: signal.Signals) -> None:
    """Get the signal `number` when the process `parent` ends; for a process that it has just forked."""
    if sys.platform != "linux":
        return
    _LIBC.prctl(1, number)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:  # it was gone before the kernel knew
        os._exit(1)


def attach_forks() -> None:
    """Attach every process that this one and its forks fork from now on."""
    line = [os.getpid()]  # from this process to the fork

    def attach_fork() -> None:
        parent, line[0] = line[0], os.getpid()
        attach(parent, signal.SIGKILL)

    os.register_at_fork(after_in_child=attach_fork)


def in_own_session(number: signal.Signals) -> Callable[[], None]:
    """What a child of this process does before its program starts, so that `number` ends it with us."""
    parent = os.getpid()

    def prepare() -> None:
        os.setsid()  # Ctrl-C reaches the supervisor only
        attach(parent, number)

    return prepare


if __name__ == "__main__":
    del sys.argv[0]
    attach_forks()
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
