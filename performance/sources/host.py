"""This machine as a source of series, and the program that samples it.

`python -m performance.sources.host FOLDER` appends a record to FOLDER/host.bin twice a second until it is
told to end or its parent is gone.  With `--keep SECONDS` it writes a file per hour instead, and removes old
ones: that is the machine's own record, which runs are looked up in later.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import psutil

from performance.sources.base import Query, Series, SourceRefused, grid_of, on_grid
from performance.sources.host_samples import FIELDS, HOST_FILE, RECORD, read_samples

HOUR = 3600


class Host:
    """Reads what the machine's own record says; `query` is a column, as in `cpu`."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def read(self, query: Query, start: datetime, end: datetime, step: float) -> Series:
        if query.query not in FIELDS:
            raise SourceRefused(f"This machine has no {query.query!r}; it has {', '.join(FIELDS)}.")
        grid = grid_of(start, end, step)
        hours = range(int(start.timestamp() // HOUR), int(end.timestamp() // HOUR) + 1)
        pieces = [read_samples(self.folder / f"{hour}.bin") for hour in hours]
        samples = np.concatenate(pieces)
        field = FIELDS[query.query]
        values = on_grid(samples["at"], samples[query.query].astype(float), grid, step)
        full = query.saturated_at if query.saturated_at is not None else field.saturated_at
        return Series(query.name, query.unit or field.unit, grid, values, full)


def host_queries() -> list[Query]:
    """All that the machine's own record can be asked, for runs that went on on this machine."""
    mine = [name for name in FIELDS if name not in {"generator", "target", "target_memory"}]
    return [Query(FIELDS[name].title, name, FIELDS[name].unit, FIELDS[name].saturated_at) for name in mine]


class Sampler:
    """Takes one sample at a time; rates are those since the sample before."""

    def __init__(self, *, generator: int = 0, target_port: int = 0) -> None:
        self.generator, self.target_port = generator, target_port
        self.target = 0
        self.spent: dict[tuple[str, int], float] = {}  # CPU seconds of each process looked at
        self.looked: dict[str, float] = {}  # when
        self.before = self._counters()
        psutil.cpu_percent(percpu=True)

    def sample(self) -> np.ndarray:
        """Return one record, shape (1,)."""
        counters, before = self._counters(), self.before
        self.before = counters
        seconds = max(counters[0] - before[0], 1e-3)
        cores = [share / 100 for share in psutil.cpu_percent(percpu=True)]
        memory = psutil.virtual_memory()
        record = np.full(1, np.nan, RECORD)
        record["at"] = time.time()
        record["cpu"], record["core"] = sum(cores) / len(cores), max(cores)
        record["memory"], record["memory_share"] = memory.total - memory.available, memory.percent / 100
        record["disk"] = max(counters[1] - before[1], 0) / seconds
        record["disk_busy"] = min(max(counters[2] - before[2], 0) / seconds, 1)
        record["network"] = max(counters[3] - before[3], 0) / seconds
        record["load1"] = os.getloadavg()[0]
        record["generator"], _ = self._used_by("generator", self.generator)
        if self.target_port and not self.target:
            self.target = process_on(self.target_port)
        record["target"], record["target_memory"] = self._used_by("target", self.target)
        return record

    def _counters(self) -> tuple[float, float, float, float]:
        disks = psutil.disk_io_counters(perdisk=True) or {}
        nets = psutil.net_io_counters(pernic=True)
        return (
            time.monotonic(),
            float(sum(disk.read_bytes + disk.write_bytes for disk in disks.values())),
            max((getattr(disk, "busy_time", 0) / 1000 for disk in disks.values()), default=0.0),
            float(sum(net.bytes_sent + net.bytes_recv for name, net in nets.items() if name != "lo")),
        )

    def _used_by(self, role: str, pid: int) -> tuple[float, float]:
        """Cores and bytes of a process and what it started; NaN where it is gone or not known."""
        if not pid:
            return np.nan, np.nan
        used, memory, spent = 0.0, 0.0, {}
        before, self.looked[role] = self.looked.get(role, 0.0), time.monotonic()
        try:
            leader = psutil.Process(pid)
            for process in [leader, *leader.children(recursive=True)]:
                with contextlib.suppress(psutil.Error):
                    times = process.cpu_times()
                    key = (role, process.pid)
                    spent[key] = times.user + times.system
                    used += spent[key] - self.spent.get(key, spent[key])
                    memory += process.memory_info().rss
        except psutil.Error:
            self.target = 0 if pid == self.target else self.target  # look for it anew: it may come back
            return np.nan, np.nan
        is_first = (role, pid) not in self.spent
        self.spent.update(spent)
        seconds = max(self.looked[role] - before, 1e-3)
        return (np.nan if is_first else max(used, 0.0) / seconds), memory


def process_on(port: int) -> int:
    """The process on this machine that listens on `port`, or 0 where it can't be told."""
    with contextlib.suppress(psutil.Error, OSError):
        for line in psutil.net_connections("tcp"):
            if line.status == psutil.CONN_LISTEN and line.laddr and line.laddr.port == port and line.pid:
                return int(line.pid)
    return 0


@contextlib.contextmanager
def sampling(
    folder: Path, *, interval: float = 0.5, generator: int = 0, target_port: int = 0
) -> Iterator[Path]:
    """Sample this machine into FOLDER/host.bin in a thread, for as long as the block goes on."""
    path, ended = folder / HOST_FILE, threading.Event()
    sampler = Sampler(generator=generator, target_port=target_port)

    def go_on() -> None:
        while not ended.wait(interval):
            with path.open("ab") as file:
                file.write(sampler.sample().tobytes())

    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    try:
        yield path
    finally:
        ended.set()
        thread.join(5)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m performance.sources.host", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--interval", type=float, default=0.5, help="seconds between two samples")
    parser.add_argument("--keep", type=float, default=0, help="seconds for which hourly files are kept")
    parser.add_argument("--generator", type=int, default=0, help="process whose CPU time is noted")
    parser.add_argument("--target-port", type=int, default=0, help="port whose process is noted")
    parser.add_argument("--plan", type=Path, help="plan of a load, whose target is noted if it is here")
    chosen = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    chosen.folder.mkdir(parents=True, exist_ok=True)
    port = chosen.target_port or (local_port(chosen.plan) if chosen.plan else 0)
    sampler = Sampler(generator=chosen.generator, target_port=port)
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(chosen.interval)
        record = sampler.sample()
        hour = int(record["at"][0] // HOUR)
        with (chosen.folder / (f"{hour}.bin" if chosen.keep else HOST_FILE)).open("ab") as file:
            file.write(record.tobytes())
        if chosen.keep:
            forget(chosen.folder, before=record["at"][0] - chosen.keep)
    return 0


def local_port(plan: Path) -> int:
    """The port of a load's target if that is on this machine by its address, else 0."""
    target = urlsplit(json.loads(plan.read_text())["target"])
    if target.hostname not in {"127.0.0.1", "localhost", "::1"}:
        return 0
    return target.port or (443 if target.scheme == "https" else 80)


def forget(folder: Path, *, before: float) -> None:
    """Remove the hourly files that end before a time (Unix seconds)."""
    for path in folder.glob("*.bin"):
        if path.stem.isdecimal() and (int(path.stem) + 1) * HOUR < before:
            path.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
