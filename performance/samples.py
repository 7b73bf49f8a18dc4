"""Every request that was sent, as fixed records while the load goes on and as columns afterwards.

Knows neither Django nor the world.  Seconds since the load's start; rows in the order of their ends.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

SAMPLE = np.dtype(
    [
        ("intended", "<f8"),  # when it was meant to be sent; in a closed loop when its user was ready
        ("sent", "<f8"),
        ("latency", "<f4"),  # from the intended time to the end of the answer
        ("service", "<f4"),  # from the send to the end of the answer
        ("request", "<u2"),
        ("status", "<u2"),  # 0: no answer
        ("bytes", "<u4"),  # of the answer's body
        ("flags", "u1"),
    ]
)
COMPONENT = np.dtype([("sample", "<u4"), ("component", "<u2"), ("duration", "<f4")])
CHECK_FAILED, WARM_UP, TIMED_OUT, NOT_CONNECTED = 1, 2, 4, 8
ERRORS = CHECK_FAILED | TIMED_OUT | NOT_CONNECTED
CHUNK = 65_536


class NoSamples(Exception):
    """There are none to be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Samples:
    """All samples of one run; `rows` is (n,) of `SAMPLE`, `parts` (m,) of `COMPONENT`."""

    requests: list[str]
    components: list[str]
    rows: np.ndarray
    parts: np.ndarray

    @property
    def measured(self) -> np.ndarray:
        """Which rows count: (n,) of bool, without the warm-up."""
        return (self.rows["flags"] & WARM_UP) == 0

    @property
    def failed(self) -> np.ndarray:
        """Which rows are errors: no answer, or one that failed its checks; (n,) of bool."""
        return (self.rows["flags"] & ERRORS) != 0

    @property
    def timed(self) -> np.ndarray:
        """Which rows have a time worth counting: (n,) of bool.

        A refused connection is quick and would flatter; a request that ran into its time limit counts.
        """
        return (self.rows["flags"] & NOT_CONNECTED) == 0


def read_folder(folder: Path) -> Samples:
    """Return what a generator wrote, however it ended: a torn last record is left out.

    The rows stay on the disk and are read when looked at.

    Raises:
        NoSamples: it wrote none.
    """
    try:
        names = json.loads((folder / "names.json").read_text())
    except (OSError, ValueError):
        raise NoSamples("The generator wrote no samples.") from None
    rows = _mapped(folder / "samples.bin", SAMPLE)
    parts = _mapped(folder / "components.bin", COMPONENT)
    if not len(rows):
        raise NoSamples("No request had ended when the load did.")
    # The components of a row are written before it; a kill in between leaves some without.
    return Samples(names["requests"], names["components"], rows, parts[parts["sample"] < len(rows)])


def pack(samples: Samples, file: IO[bytes]) -> None:
    """Write `samples` as one .npz of columns, which `numpy.load` opens, a piece of a column at a time."""
    names = {"requests": samples.requests, "components": samples.components}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
        archive.writestr(_entry("names.json"), json.dumps(names))
        for prefix, rows in (("", samples.rows), ("component_", samples.parts)):
            for name in rows.dtype.names or ():
                with archive.open(_entry(f"{prefix}{name}.npy"), "w", force_zip64=True) as column:
                    header = {"descr": rows.dtype[name].str, "fortran_order": False, "shape": (len(rows),)}
                    np.lib.format.write_array_header_1_0(column, header)
                    for piece in _pieces(rows):
                        column.write(np.ascontiguousarray(piece[name]).tobytes())


def unpack(file: IO[bytes]) -> Samples:
    """Return the samples that `pack` wrote.

    Raises:
        NoSamples: it is no such file.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            names = json.loads(archive.read("names.json"))
            rows = _columns(archive, "", SAMPLE)
            parts = _columns(archive, "component_", COMPONENT)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as problem:
        raise NoSamples(f"The file of samples can't be read: {problem}.") from None
    return Samples(names["requests"], names["components"], rows, parts)


def load_samples(workload_run: Any, storage: Any) -> Samples:
    """Return the kept samples of a run.

    Args:
        workload_run: has the name of its file as `samples`.
        storage: a Django storage, as `storages["artifacts"]`.

    Raises:
        NoSamples: it has none (another tool measured it, or it ended before), or their file is gone.
    """
    if not workload_run.samples:
        raise NoSamples("No samples were kept of this run.")
    try:
        with storage.open(workload_run.samples, "rb") as file:
            return unpack(file)
    except OSError as problem:
        raise NoSamples(f"The samples in {workload_run.samples} can't be read: {problem}.") from None


def _mapped(path: Path, kind: np.dtype) -> np.ndarray:
    whole = path.stat().st_size // kind.itemsize if path.exists() else 0
    return np.memmap(path, kind, "r", shape=(whole,)) if whole else np.empty(0, kind)


def _pieces(rows: np.ndarray) -> Iterator[np.ndarray]:
    for begin in range(0, len(rows), CHUNK):
        yield np.asarray(rows[begin : begin + CHUNK])


def _columns(archive: zipfile.ZipFile, prefix: str, kind: np.dtype) -> np.ndarray:
    rows = None
    for name in kind.names or ():
        with archive.open(f"{prefix}{name}.npy") as file:
            column = np.lib.format.read_array(file, allow_pickle=False)
        rows = np.empty(len(column), kind) if rows is None else rows
        rows[name] = column
    assert rows is not None  # noqa: S101 - both kinds have columns
    return rows


def _entry(name: str) -> zipfile.ZipInfo:
    """An entry without a time, so that equal samples make equal files."""
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry
