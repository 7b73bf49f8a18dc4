"""What a target says of its components in the header Server-Timing."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

LONGEST_NAME = 40


@lru_cache(maxsize=1000)
def parse(header: bytes) -> tuple[tuple[str, float], ...]:
    """Return each component with its seconds; entries without a duration tell nothing.

    Source: W3C, "Server Timing", https://www.w3.org/TR/server-timing/ (durations there in milliseconds).
    """
    return tuple(_parts(header))


def _parts(header: bytes) -> Iterator[tuple[str, float]]:
    for entry in _split(header, b","):
        name, *parameters = _split(entry, b";")
        for parameter in parameters:
            key, _, value = parameter.partition(b"=")
            if key.strip().lower() == b"dur":
                try:
                    seconds = float(value.strip(b' "')) / 1000
                except ValueError:
                    break
                if 0 <= seconds < 1e6:
                    yield _named(name), seconds
                break


def _split(text: bytes, sign: bytes) -> list[bytes]:
    """Split at a sign that does not stand between quotes."""
    if b'"' not in text:
        return text.split(sign)
    pieces, begin, quoted = [], 0, False
    for place in range(len(text)):
        one = text[place : place + 1]
        if one == b'"':
            quoted = not quoted
        elif one == sign and not quoted:
            pieces.append(text[begin:place])
            begin = place + 1
    return [*pieces, text[begin:]]


@lru_cache(maxsize=1000)
def _named(name: bytes) -> str:
    return name.strip().decode("ascii", "replace")[:LONGEST_NAME]
