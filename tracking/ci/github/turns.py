"""Whose turn it is, how long it was waited for, and what was called meanwhile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import requests

from tracking.ci.base import CIBusy
from tracking.ci.github.answers import seconds_to_wait
from tracking.ci.github.budget import Budget

PATIENCE = 3.0  # seconds that a turn is waited for here; a longer wait is given back to the caller


class Turns:
    """The turns of one identity.  `tally` counts until somebody takes it; `waited` is in seconds."""

    def __init__(self, budget: Budget, identity: str, sleep: Callable[[float], None]) -> None:
        self.budget, self.identity, self.sleep = budget, identity, sleep
        self.tally: Counter[str] = Counter()
        self.waited = 0.0
        self._strikes = 0

    def take(self, *, is_write: bool) -> None:
        """Wait for a turn, if it comes soon.

        Raises:
            CIBusy: it does not; nothing was sent.
        """
        while wait := self.budget.wait(self.identity, is_write=is_write):
            if wait > PATIENCE:
                raise CIBusy("GitHub's limits leave no call just now", retry_after=wait)
            self.sleep(wait)
            self.waited += wait
        self.tally["calls"] += 1

    def take_tally(self) -> tuple[Counter[str], float]:
        """Return what was counted since the last time, and the seconds waited; begin anew."""
        taken, waited = self.tally, self.waited
        self.tally, self.waited = Counter(), 0.0
        return taken, waited

    def close(self, response: requests.Response, now: float) -> float:
        """A limit was hit: nobody with this identity calls until it is over; return the seconds."""
        self._strikes += 1
        seconds = seconds_to_wait(response, now, self._strikes)
        self.budget.close(self.identity, seconds)
        self.tally["limited"] += 1
        return seconds

    def went_well(self) -> None:
        """The next limit is the first in a row again."""
        self._strikes = 0
