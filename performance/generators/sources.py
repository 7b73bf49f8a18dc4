"""Who decides when a request leaves: a timetable (open loop), or users who wait for answers (closed)."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter
from typing import Any

import numpy as np

from performance.arrivals import in_chunks, request_numbers
from performance.generators.alarm import Alarm
from performance.generators.base import AVOIDED, NOT_AVOIDED, End

AT_ONCE = 64  # sends before the loop may read answers again


class Arrivals:
    """Sends by the timetable.  In a scenario each arrival is a user who goes through all requests."""

    kind = "open"
    omission = AVOIDED

    def __init__(self, engine: Any) -> None:
        self.engine, self.spec = engine, engine.spec
        self.chunks = in_chunks(self.spec, engine.plan.seed)
        self.numbers = _flat(request_numbers(self.spec, engine.plan.seed))
        self.times: list[float] = []
        self.place = self.n = self.going = 0
        self.is_through = False
        self.alarm = Alarm(engine.loop, self.go)

    def start(self) -> None:
        self._next_chunk()
        self.go()

    def go(self) -> None:
        """Send what is due, and set the alarm for what comes next."""
        if self.is_through or self.engine.end:
            return
        lags = self.engine.lags
        for _ in range(AT_ONCE):
            if self.place == len(self.times) and not self._next_chunk():
                self._finish()
                return
            due, now = self.times[self.place], perf_counter()
            if due > now:
                break
            self.place += 1
            if not self.engine.is_warmup(due):
                lags.append(now - due)
            self._begin(due)
        self.alarm.set(self.times[self.place] if self.place < len(self.times) else 0.0)

    def left_unsent(self, _: float) -> int:
        return 0  # what is late is sent late, and counted from when it was due

    def _begin(self, due: float) -> None:
        n, self.n = self.n, self.n + 1
        if self.spec.scenario:
            self.going += 1
            User(self.engine, self, n).begin(due)
        else:
            self.engine.fire(due, next(self.numbers), n, n)

    def ended(self, _: User) -> None:
        """A user has gone through the scenario."""
        self.going -= 1

    def _next_chunk(self) -> bool:
        chunk = next(self.chunks, None)
        self.times, self.place = ([] if chunk is None else (chunk + self.engine.begin).tolist()), 0
        return chunk is not None

    def _finish(self) -> None:
        self.is_through = True
        self.alarm.close()
        self._end_when_answered()

    def _end_when_answered(self) -> None:
        """The last arrival is over: wait for answers and for users on their way; both have an end."""
        if self.going == 0 and self.engine.pool.in_flight == 0:
            self.engine.stop(End("done"))
        elif not self.engine.end:
            self.engine.loop.call_later(0.01, self._end_when_answered)


class Users:
    """A set number of users, each of whom sends, waits for the answer and thinks."""

    kind = "closed"
    omission = NOT_AVOIDED

    def __init__(self, engine: Any) -> None:
        self.engine, self.spec = engine, engine.spec
        self.numbers = _flat(request_numbers(self.spec, engine.plan.seed))
        self.until = engine.begin + self.spec.total_seconds if self.spec.duration else float("inf")
        self.left = self.spec.max_requests or float("inf")
        self.going = self.spec.users

    def start(self) -> None:
        """Let the users begin spread over a second, or they would go in step for ever."""
        spread = min(1.0, self.spec.total_seconds / 10)
        for number in range(self.spec.users):
            User(self.engine, self, number).begin_later(self.engine.begin + spread * number / self.spec.users)

    def may_send(self, at: float) -> bool:
        if at >= self.until or self.left <= 0:
            return False
        if not self.engine.is_warmup(at):
            self.left -= 1
        return True

    def ended(self, _: User) -> None:
        self.going -= 1
        if self.going == 0:  # who ends has had its answer
            self.engine.stop(End("done"))

    def left_unsent(self, _: float) -> int:
        return 0


class User:
    """Goes through the scenario, or draws one request after another."""

    __slots__ = ("draw", "engine", "number", "ready", "source", "step")

    def __init__(self, engine: Any, source: Any, number: int) -> None:
        self.engine, self.source, self.number = engine, source, number
        self.step, self.ready = 0, 0.0
        low, high = engine.spec.think_time
        self.draw = np.random.default_rng([abs(engine.plan.seed), 4, number]) if high > low else None

    def begin_later(self, at: float) -> None:
        self.ready = at
        self.engine.loop.call_later(max(0.0, at - perf_counter()), self._send)

    def begin(self, at: float) -> None:
        self.ready = at
        self._send()

    def go_on(self, now: float) -> None:
        """An answer came: think, then send the next one."""
        spec = self.engine.spec
        if self.engine.end:
            return
        if spec.scenario and self.step == len(spec.requests):
            if self.source.kind == "open":
                self.source.ended(self)
                return
            self.step = 0
        low, high = spec.think_time
        if high == 0:
            self.ready = now
            self._send()
            return
        think = low if self.draw is None else float(self.draw.uniform(low, high))
        self.ready = now + think
        self.engine.loop.call_later(think, self._send)

    def _send(self) -> None:
        engine, source = self.engine, self.source
        if engine.end:
            return
        # A timer may ring early by less than a millisecond; nobody is served before being ready.
        now = perf_counter()
        self.ready = min(self.ready, now)
        if source.kind == "closed" and not source.may_send(self.ready):
            source.ended(self)
            return
        if engine.spec.scenario:
            request, self.step = self.step, self.step + 1
        else:
            request = next(source.numbers)
        if self.ready >= engine.warm_until:
            engine.lags.append(now - self.ready)
        engine.fire(self.ready, request, engine.sent, self.number, self)


def _flat(chunks: Iterator[np.ndarray]) -> Iterator[int]:
    for chunk in chunks:
        yield from chunk.tolist()
