"""What runs that were made again say of a change of level that one voter alone has seen."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.changepoints import Change

AGREEING = 2  # runs of one opinion that decide


def confirms(change: Change, reruns: Sequence[float]) -> bool | None:
    """Whether runs made again lie at the new level; None while another one has to tell.

    A run does where it lies past the middle of old and new.  The first two that agree decide, so that three
    are enough: one alone misses a quarter of the steps of twice the noise or less (benchmarks/README.md).
    """
    middle = (change.before + change.after) / 2
    agreed = {True: 0, False: 0}
    for again in reruns:
        lies_there = again > middle if change.difference > 0 else again < middle
        agreed[lies_there] += 1
        if agreed[lies_there] == AGREEING:
            return lies_there
    return None
