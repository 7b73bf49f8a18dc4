"""The text that a job wrote, fit for a page."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

TAIL_BYTES = 64 * 1024
# Colors and cursor movements (CSI), window titles (OSC), and the short escapes.
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Output:
    """The end of an output; `size_bytes` is that of the whole."""

    text: str
    size_bytes: int
    is_cut: bool


def clean(text: str) -> str:
    """Return `text` without what only a terminal understands; of an overwritten line the last state."""
    text = _ANSI.sub("", text).replace("\r\n", "\n")
    lines = (line.rstrip("\r").rsplit("\r", 1)[-1] for line in text.split("\n"))
    return _CONTROL.sub("", "\n".join(lines))


def tail(path: Path | None, most: int = TAIL_BYTES) -> Output | None:
    """Return the last `most` bytes of the file; None where there is none yet."""
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - most, 0))
            data = file.read(most)
    except OSError:
        return None
    is_cut = size > most
    if is_cut:
        data = data.partition(b"\n")[2] or data  # begin with a whole line, where there is one
    return Output(clean(data.decode("utf-8", "replace")), size, is_cut)
