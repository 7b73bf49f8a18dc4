"""How this machine felt, as records in a file that only grows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from performance.sources.base import Series

HOST_FILE = "host.bin"
RECORD = np.dtype(
    [
        ("at", "<f8"),  # Unix seconds
        ("cpu", "<f4"),  # share of all cores, 0 to 1
        ("core", "<f4"),  # of the busiest core
        ("memory", "<f8"),  # bytes in use
        ("memory_share", "<f4"),
        ("disk", "<f8"),  # bytes/s, read and written
        ("disk_busy", "<f4"),  # share of time in which the busiest disk worked
        ("network", "<f8"),  # bytes/s, both ways, without the loopback
        ("load1", "<f4"),  # processes that run or want to, averaged over a minute
        ("generator", "<f4"),  # cores that the load generator used
        ("target", "<f4"),  # cores that the target's process used; NaN where it is not on this machine
        ("target_memory", "<f8"),  # bytes
    ]
)


@dataclass(frozen=True)
class Field:
    """What one column means, in words."""

    title: str
    unit: str
    saturated_at: float | None = None


FIELDS = {
    "cpu": Field("CPU", "share", 0.95),
    "core": Field("busiest core", "share"),
    "memory": Field("memory in use", "bytes"),
    "memory_share": Field("memory in use, share", "share", 0.95),
    "disk": Field("disk", "bytes/s"),
    "disk_busy": Field("disk busy", "share", 0.95),
    "network": Field("network", "bytes/s"),
    "load1": Field("load average", "processes"),
    "generator": Field("CPU of the generator", "cores"),
    "target": Field("CPU of the target", "cores", 0.85),
    "target_memory": Field("memory of the target", "bytes"),
}
# A program whose Python, Node or Redis computes in one thread is full at one core; one that was seen to use
# more than that is not bound so, and full only with the machine.
ONE_CORE = 1.15


def read_samples(path: Path) -> np.ndarray:
    """Return the records (n,) of a file; a torn last one is cut off, a missing file is an empty one."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return np.empty(0, RECORD)
    return np.frombuffer(data[: len(data) - len(data) % RECORD.itemsize], RECORD)


def series_of(samples: np.ndarray) -> list[Series]:
    """Return one series per column that was measured, at the times of the samples."""
    found = []
    for name, field in FIELDS.items():
        values = samples[name].astype(float)
        if not np.isfinite(values).any():
            continue
        full = field.saturated_at
        if name == "target" and np.nanquantile(values, 0.9) > ONE_CORE:
            full = None
        found.append(Series(field.title, field.unit, samples["at"].astype(float), values, full))
    return found
