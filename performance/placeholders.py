"""`{{names}}` in paths, headers and bodies, filled in for each request."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_NAME = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_.-]*)\s*\}\}")


class UnknownName(KeyError):
    """A text has a `{{name}}` that stands for nothing."""


def names_in(*texts: str) -> set[str]:
    """Return the names between `{{` and `}}`."""
    return {name for text in texts for name in _NAME.findall(text)}


def compiled(text: str) -> list[str]:
    """Return the text in pieces: fixed ones at even places, names at odd ones."""
    return _NAME.split(text)


def fill(pieces: list[str], values: Mapping[str, str], quote: Callable[[str], str] = str) -> str:
    """Return the text with the names' values, each passed through `quote`.

    Raises:
        UnknownName: for a name that `values` hasn't.
    """
    if len(pieces) == 1:
        return pieces[0]
    try:
        return "".join(
            quote(str(values[piece])) if place % 2 else piece for place, piece in enumerate(pieces)
        )
    except KeyError as missing:
        raise UnknownName(missing.args[0]) from None
