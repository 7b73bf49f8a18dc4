"""What goes wrong at GitHub; every one was seen by somebody (sources in docs/github.md)."""

from __future__ import annotations

import random
from dataclasses import dataclass, field


@dataclass
class Faults:
    """All off.  Numbers of calls count down; shares are drawn with `chance`, the same every time."""

    chance: random.Random = field(default_factory=lambda: random.Random(20260104))
    # lists
    list_lag: float = 0  # seconds before a list shows a run
    stale_filters: float = 0  # seconds that filtered lists are behind
    # dispatches: the numbers of the dispatches (1, 2, 3 …) that go wrong so
    error_before: set[int] = field(default_factory=set)  # 500, nothing was started
    error_after: set[int] = field(default_factory=set)  # 500, and it was started
    unavailable: set[int] = field(default_factory=set)  # 503, nothing was started
    drop_before: set[int] = field(default_factory=set)  # the connection is closed, nothing was started
    drop_after: set[int] = field(default_factory=set)  # the connection is closed, and it was started
    secondary: set[int] = field(default_factory=set)  # 403, secondary limit
    too_many: set[int] = field(default_factory=set)  # 429 with Retry-After
    startup_failure: set[int] = field(default_factory=set)  # starts nothing, and no message says so
    never_starts: set[int] = field(default_factory=set)  # queued for ever
    # everything
    down: bool = False  # 503 to all
    token_ends_after: int | None = None  # calls
    refuse_cancel: bool = False  # 409
    clock_offset: float = 0  # seconds by which GitHub's clock is ahead of the world's
    retry_after: int | None = 1  # seconds, on 403 and 429; None: GitHub does not say
    # artifacts
    cut_downloads: int = 0  # so many more downloads break off in the middle
    late_expiry: bool = False  # lists still call an artifact good that is gone
    # messages
    lose: float = 0  # share
    double: float = 0  # share
    shuffle: bool = False

    def fails(self, kind: str, number: int) -> bool:
        return number in getattr(self, kind)
