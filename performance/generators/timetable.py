"""The share of one Locust process in a load: when its users send, and when they are through.

Times are those of time.time(), as Locust's own; gevent is there by then.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import gevent
import numpy as np
from gevent.event import Event

from performance.arrivals import in_chunks, request_numbers
from performance.generators.base import Plan


class Timetable:
    """`part` of `parts`: with an arrival every n-th intended time is its own; without, users just go on."""

    def __init__(self, plan: Plan, part: int, parts: int) -> None:
        self.plan, self.spec, self.part, self.parts = plan, plan.spec, part, parts
        self.begun_at = 0.0
        self.begun = Event()
        self.users = self.sent = 0
        self.is_exhausted, self.waiting = False, 0
        self.dues = self._share() if self.spec.arrival else None
        self.requests = self._requests() if self.spec.requests else iter(())
        self.draw = np.random.default_rng([abs(plan.seed), 4, part])
        self.left = self._share_of_requests()

    @property
    def is_through(self) -> bool:
        """Whether all was sent."""
        return self.is_exhausted and self.waiting == 0

    def begin(self, at: float) -> None:
        """Let the users go; the load begins `at`."""
        self.begun_at = at
        self.begun.set()

    def next_user(self) -> int:
        self.users += 1
        return self.part + (self.users - 1) * self.parts

    def wait_for_begin(self, number: int) -> None:
        """Users of a closed loop start spread over a second, or they would go in step for ever."""
        self.begun.wait()
        wait = self.begun_at - time.time()
        if self.dues is None:
            spread = min(1.0, self.spec.total_seconds / 10 or 1.0)
            wait += spread * (number % max(1, self.spec.users)) / max(1, self.spec.users)
        gevent.sleep(max(0.0, wait))

    def next_due(self) -> float | None:
        """Return when the next request is meant to be sent, once it is time; None when all were."""
        if self.dues is None:
            now = time.time()
            if self.is_over(now):
                self.is_exhausted = True
                return None
            return now
        due = next(self.dues, None)
        if due is None:
            self.is_exhausted = True
            return None
        due += self.begun_at
        self.waiting += 1
        gevent.sleep(max(0.0, due - time.time()))
        self.waiting -= 1
        return due

    def next_request(self) -> int:
        return next(self.requests)

    def think(self) -> float:
        """Wait as users do between two requests; return when this one was ready again."""
        low, high = self.spec.think_time
        think = float(self.draw.uniform(low, high)) if high > low else low
        ready = time.time() + think
        gevent.sleep(think)
        return ready

    def is_over(self, at: float) -> bool:
        if self.left <= 0:
            return True
        return bool(self.spec.duration) and at - self.begun_at >= self.spec.total_seconds

    def count(self) -> int:
        """Number the requests of all processes apart."""
        self.sent += 1
        return self.part + (self.sent - 1) * self.parts

    def took_one(self, *, is_warmup: bool) -> None:
        if not is_warmup:
            self.left -= 1
        if self.dues is None and self.begun_at and self.is_over(time.time()):
            self.is_exhausted = True

    def _share(self) -> Iterator[float]:
        place = 0
        for chunk in in_chunks(self.spec, self.plan.seed):
            first = (self.part - place) % self.parts
            yield from chunk[first :: self.parts].tolist()
            place += len(chunk)

    def _requests(self) -> Iterator[int]:
        place = 0
        for chunk in request_numbers(self.spec, self.plan.seed):
            first = (self.part - place) % self.parts
            yield from chunk[first :: self.parts].tolist()
            place += len(chunk)

    def _share_of_requests(self) -> float:
        if not self.spec.max_requests or self.spec.arrival:
            return float("inf")
        return self.spec.max_requests // self.parts + (self.part < self.spec.max_requests % self.parts)
