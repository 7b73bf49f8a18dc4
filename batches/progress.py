"""How far a run of tests is, by what it writes."""

from __future__ import annotations

import re

_OF_TESTS = re.compile(r"\[ *(\d+)%\]")  # pytest's
_OF_MODULES = re.compile(r"^\[(\d+)/(\d+)\] ", re.MULTILINE)  # the runner's own


def percent_of(output: str, *, is_by_module: bool = False) -> int | None:
    """Return how many percent are done; None where the output does not tell.

    Args:
        is_by_module: each module runs by itself, so that pytest's own percent begin anew with each.
    """
    if is_by_module:
        modules = _OF_MODULES.findall(output)
        return 100 * int(modules[-1][0]) // int(modules[-1][1]) if modules else None
    tests = _OF_TESTS.findall(output)
    return int(tests[-1]) if tests else None
