"""How long a running run will still take, as far as it can be said."""

from __future__ import annotations

ENOUGH = 3  # workflows that must be done before their pace says anything


def seconds_left(*, done: int, workflows: int, elapsed: float, usual: float | None = None) -> float | None:
    """Return about how many seconds are left, or None where nothing can be said.

    Workflows run side by side, so what is left follows from the pace of the run as a whole: with
    `done` after `elapsed` seconds, the others take as long again each.  Before enough are done the
    usual duration of such runs (seconds) serves, as long as it is not over.
    """
    if workflows <= 0 or done >= workflows:
        return None
    if done >= min(ENOUGH, workflows - 1) and done > 0 and elapsed > 0:
        return elapsed / done * (workflows - done)
    if usual is not None and usual > elapsed:
        return usual - elapsed
    return None
