"""On which line of a TOML file a key stands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

Path = tuple[str | int, ...]
_HEADER = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(#.*)?$")
_WORD = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_KEY = re.compile(rf"\s*({_WORD}(?:\s*\.\s*{_WORD})*)\s*=")
_PART = re.compile(_WORD)


def line_finder(text: str) -> Callable[[Path], int]:
    """Return what tells the line of a key's path in `text`, or of the nearest table around it."""
    places = dict(_places(text))
    return lambda path: _line(places, path)


def _places(text: str) -> Iterator[tuple[Path, int]]:
    """Yield each key's path with the line on which it stands."""
    table: Path = ()
    counts: dict[Path, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        header = _HEADER.match(line)
        if header:
            table = tuple(_parts(header[2]))
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                yield table, number
                table = (*table, counts[table])
            yield table, number
        elif key := _KEY.match(line):
            yield (*table, *_parts(key[1])), number


def _parts(text: str) -> list[str]:
    return [part.strip("\"'") for part in _PART.findall(text)]


def _line(places: dict[Path, int], path: Path) -> int:
    """The line of a key, or of the nearest table around it."""
    for length in range(len(path), 0, -1):
        if path[:length] in places:
            return places[path[:length]]
    return 1
