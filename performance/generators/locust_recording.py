"""Samples of one Locust process."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

from performance.generators.recording import OTHERS, Recorder
from performance.generators.server_timing import parse
from performance.samples import CHECK_FAILED, NOT_CONNECTED, TIMED_OUT, WARM_UP

_MOST_NAMES = 5000  # a file that puts an id into each name must not fill the memory


class PartRecorder(Recorder):
    """Also learns names as they come."""

    def __init__(self, folder: Path, requests: list[str]) -> None:
        folder.mkdir(exist_ok=True)
        super().__init__(folder, requests)
        self.in_flight = 0

    def keep(
        self,
        name: str,
        *,
        due: float,
        sent: float,
        service: float,
        size: int,
        exception: BaseException | None,
        response: Any,
        is_warmup: bool,
    ) -> None:
        """Keep one request as Locust tells of it; times in seconds since the load's start."""
        status = int(getattr(response, "status_code", 0) or 0)
        flags = WARM_UP if is_warmup else 0
        if exception is not None:
            if status:
                flags |= CHECK_FAILED
            else:
                flags |= TIMED_OUT if _is_timeout(exception) else NOT_CONNECTED
        headers = getattr(response, "headers", None) or {}
        if timing := headers.get("Server-Timing"):
            for component, seconds in parse(str(timing).encode("latin-1", "replace")):
                self.add_part(component, seconds)
        if name not in self.numbers and len(self.numbers) >= _MOST_NAMES:
            name = OTHERS
        latency = max(sent + service - due, 0.0)
        self.add(due, sent, latency, service, self.request_number(name), status, size, flags)


def _is_timeout(exception: BaseException) -> bool:
    told = f"{type(exception).__name__} {exception}".lower()
    return isinstance(exception, TimeoutError | socket.timeout) or "timed out" in told or "timeout" in told
