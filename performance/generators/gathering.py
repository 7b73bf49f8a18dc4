"""Gather what several processes of one load wrote, each in its own folder, into the one file of samples."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from performance.generating import read_json
from performance.samples import COMPONENT, SAMPLE

if TYPE_CHECKING:
    from performance.generators.recording import Recorder


class Part:
    """One process's folder; remembers how far it was read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.read = {"samples.bin": 0, "components.bin": 0}
        self.left_parts = np.empty(0, COMPONENT)

    def take(self, recorder: Recorder) -> tuple[np.ndarray, np.ndarray]:
        """Return the new rows and their components, with names as `recorder` numbers them.

        The components' `sample` counts from the first of these rows.
        """
        begin = self.read["samples.bin"]
        rows = self._new("samples.bin", SAMPLE)
        if not len(rows):
            return rows, np.empty(0, COMPONENT)
        # A row's components were written before it, so they are there by now; later ones wait.
        parts = np.concatenate([self.left_parts, self._new("components.bin", COMPONENT)])
        ready = parts["sample"] < begin + len(rows)
        self.left_parts, parts = parts[~ready], parts[ready].copy()
        parts["sample"] -= begin
        names = read_json(self.folder / "names.json")
        rows["request"] = _renumbered(rows["request"], names["requests"], recorder.request_number)
        if len(parts):
            parts["component"] = _renumbered(
                parts["component"], names["components"], recorder.component_number
            )
        return rows, parts

    @property
    def is_done(self) -> bool:
        """Whether it has sent all and has all answers."""
        return bool(self._state().get("done")) and self._is_read()

    @property
    def in_flight(self) -> int:
        return int(self._state().get("in_flight", 0))

    @property
    def cpu(self) -> float:
        return float(self._state().get("cpu", 0.0))

    @property
    def refused(self) -> str:
        """A host that it wanted to reach and must not."""
        return str(self._state().get("refused", ""))

    def _state(self) -> dict[str, Any]:
        return read_json(self.folder / "state.json")

    def _is_read(self) -> bool:
        path = self.folder / "samples.bin"
        return not path.exists() or path.stat().st_size // SAMPLE.itemsize == self.read["samples.bin"]

    def _new(self, name: str, kind: np.dtype) -> np.ndarray:
        path = self.folder / name
        try:
            with path.open("rb") as file:
                file.seek(self.read[name] * kind.itemsize)
                data = file.read()
        except FileNotFoundError:
            return np.empty(0, kind)
        whole = len(data) // kind.itemsize
        self.read[name] += whole
        return np.frombuffer(data, kind, whole).copy()


def _renumbered(numbers: np.ndarray, names: list[str], number_of: Callable[[str], int]) -> np.ndarray:
    table = np.array([number_of(name) for name in names], np.uint16)
    return table[numbers]
