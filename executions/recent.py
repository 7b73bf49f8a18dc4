"""The last 64 runs of a case in one space: pure functions over letters, durations and times."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

LENGTH = 64
WELL, BAD = frozenset("Pp"), frozenset("FE")
_LETTERS = "PFESxp"  # in the order of the stored outcomes
_STATES = str.maketrans({"p": "P", "E": "F", "S": None, "x": None, "M": None})
_FLOAT = struct.Struct("<f")
_MASS = 64  # executions.models.results.Flag


def letter_of(outcome: int, flags: int = 0) -> str:
    """Return the letter of a stored outcome: P, F, E, S, x, p; M for a failure among many of its report."""
    letter = _LETTERS[outcome]
    return "M" if letter in BAD and flags & _MASS else letter


def flips_of(recent: str) -> int:
    """Return how often the case changed between well and not well; what does not judge it is passed over."""
    judged = recent.translate(_STATES)
    return judged.count("PF") + judged.count("FP")


def state_of(recent: str) -> str:
    """Return `well`, `bad`, or an empty text where nothing judged the case."""
    for letter in reversed(recent):
        if letter in WELL:
            return "well"
        if letter in BAD:
            return "bad"
    return ""


def standing_of(bad: int, well: int, recent: str) -> int:
    """Return the standing (`executions.models.statistics`) of a case that was so often bad and well."""
    if not bad:
        return 0
    if state_of(recent) == "bad":
        return 2 if well else 3
    return 1 if well else 4


@dataclass(slots=True)
class Window:
    """The last runs, oldest first; `changed_at` is None where the present state began before them."""

    recent: str = ""
    durations: bytes = b""
    changed_at: datetime | None = None

    def append(self, letter: str, duration: float | None, at: datetime) -> None:
        """Add the newest run."""
        rest = LENGTH - 1  # what falls out says nothing any more, so that counting anew gives the same
        self.recent, self.durations = self.recent[-rest:], self.durations[-4 * rest :]
        if not self.append_to_open(letter, duration, at) and not flips_of(self.recent):
            self.changed_at = None

    def append_to_open(self, letter: str, duration: float | None, at: datetime) -> bool:
        """Add the newest run where there is room for it; return whether the case changed by it."""
        before, own = state_of(self.recent), state_of(letter)
        self.recent += letter
        self.durations += _FLOAT.pack(math.nan if duration is None else duration)
        changed = bool(own and before and own != before)
        if changed:
            self.changed_at = at
        return changed


def window_of(runs: Iterable[tuple[str, float | None, datetime]]) -> Window:
    """Return the window of runs given oldest first."""
    kept = list(runs)[-LENGTH:]
    window = Window()
    for letter, duration, at in kept:
        window.append(letter, duration, at)
    return window


def known(durations: bytes) -> list[float]:
    """Return the seconds that are known of packed durations."""
    values = np.frombuffer(bytes(durations), "<f4").astype(float)
    return [float(value) for value in values[~np.isnan(values)]]


def packed(durations: NDArray[np.float64]) -> bytes:
    """Return seconds, NaN where unknown, as they are kept of the last runs."""
    return durations.astype("<f4").tobytes()


def microseconds(durations: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return whole microseconds, 0 where the duration is unknown."""
    return np.rint(np.nan_to_num(durations, nan=0.0) * 1e6).astype("i8")


def singles(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the doubles that floats of four bytes give back, so that sums never depend on the database.

    Six digits come back as they are, so that what was written in milliseconds need not be looked at.
    """
    found = values.copy()
    is_short = (values < 1000) & (np.rint(values * 1000) / 1000 == values)
    for place in np.flatnonzero(~is_short & ~np.isnan(values)).tolist():
        found[place] = float(str(np.float32(values[place])))
    return found
