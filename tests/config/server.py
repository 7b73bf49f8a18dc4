"""`manage.py up` as a process of its own, on data of its own, with a Valkey of its own."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from config.places import socket_folder
from tests.journeys.product import ROOT, Product


class Server(Product):
    """The server without what script/server does before it: the environment is there already."""

    program = (sys.executable, ROOT / "manage.py", "up")

    def __init__(self, data: Path, **variables: str) -> None:
        data.parent.mkdir(parents=True, exist_ok=True)
        super().__init__(data)
        self.environment.pop("REDIS_URL", None)
        self.environment.update(variables)

    @property
    def socket_folder(self) -> Path:
        return socket_folder(self.data)

    def kill_up(self) -> float:
        """End the supervisor alone by kill -9; return the seconds until no process was left."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        return seconds_until(lambda: not self.processes())

    def stop_timed(self) -> float:
        begun = time.monotonic()
        assert self.stop() == 0, self.log.read_text()
        return time.monotonic() - begun

    def leader(self, *words: str) -> int:
        """The process that leads the programs whose command lines hold all `words`."""
        (leader,) = [process for process in self.processes(*words) if os.getsid(process) == process]
        return leader

    def end_all(self) -> None:
        """Leave nothing behind, whatever a test that failed has left."""
        for process in self.processes():
            os.kill(process, signal.SIGKILL)
        if self.process:
            self.process.wait()


def seconds_until(is_reached, within: float = 120.0) -> float:
    begun = time.monotonic()
    while not is_reached():
        assert time.monotonic() < begun + within
        time.sleep(0.02)
    return time.monotonic() - begun
