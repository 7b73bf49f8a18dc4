"""Earlier tries in a folder of Bazel: `test_attempts/attempt_1.xml` beside `test.xml`.

Bazel runs a whole test target again where it may be flaky (`flaky = True`, `--flaky_test_attempts`); it moves
the files of a try that failed into `test_attempts` and leaves those of the last one in their place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_TRY = re.compile(r"(.*/|)test_attempts/attempt_(\d{1,2})\.xml", re.DOTALL)
_LAST = re.compile(r"(.*/|)test\.xml", re.DOTALL)
_AFTER_ALL = 100


def tries_in(names: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield the places of all `names`, a target's tries together and in order, each with those before it.

    >>> list(tries_in(["till/test.xml", "other.xml", "till/test_attempts/attempt_1.xml"]))
    [(2, 0), (0, 1), (1, 0)]
    """
    found = [_TRY.fullmatch(name) for name in names]
    targets: dict[str, list[tuple[int, int]]] = {one[1]: [] for one in found if one}
    folders: list[str | None] = []
    for place, (name, one) in enumerate(zip(names, found, strict=True)):
        last = _LAST.fullmatch(name) if targets and not one else None
        folder = one[1] if one else last[1] if last and last[1] in targets else None
        folders.append(folder)
        if folder is not None:
            targets[folder].append((int(one[2]) if one else _AFTER_ALL, place))
    for place, folder in enumerate(folders):
        if folder is None:
            yield place, 0
        else:
            tries = sorted(targets[folder])
            targets[folder] = []
            yield from ((at, before) for before, (_, at) in enumerate(tries))
