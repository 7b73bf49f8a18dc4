"""How long each part of a request took, told in the answer (W3C Server-Timing)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Timing:
    """Seconds by part, of one request; `total` runs from when a worker took it up."""

    def __init__(self) -> None:
        self.begun = time.perf_counter()
        self.parts: dict[str, float] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.parts[name] = self.parts.get(name, 0.0) + time.perf_counter() - begun

    def header(self) -> str:
        """The value of the header; milliseconds, as the standard wants."""
        parts = {**self.parts, "total": time.perf_counter() - self.begun}
        return ", ".join(f"{name};dur={seconds * 1000:.3f}" for name, seconds in parts.items())
