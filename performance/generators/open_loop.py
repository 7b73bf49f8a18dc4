"""The generator for truth: requests leave when they are meant to, whatever became of those before.

`python -m performance.generators.open_loop PLAN FOLDER`, on uvloop.  With users and no arrival the loop is
closed: each user waits for its answer, and the facts say what that hides.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import ssl
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, time
from typing import Any

import uvloop

from performance.generators.base import End, Plan, end_with, machine, read_plan, secrets_input
from performance.generators.content import Content, is_right
from performance.generators.http import Call, Connection
from performance.generators.pool import Pool
from performance.generators.recording import FLUSH_EVERY, Recorder
from performance.generators.server_timing import parse
from performance.generators.sources import Arrivals, Users
from performance.generators.watching import Watch
from performance.samples import CHECK_FAILED, NOT_CONNECTED, TIMED_OUT, WARM_UP
from performance.specified import Checks

AHEAD = 0.2  # seconds between opening the first connections and the first request


class Engine:
    """One load from its first connection to its end."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan, self.folder, self.spec = plan, folder, plan.spec
        self.content = Content(plan)
        self.recorder = Recorder(folder, [request.name for request in self.spec.requests])
        self.watch = Watch(self.spec, folder)
        kinds = [request.checks for request in self.spec.requests]
        self.checks = [checks if checks != Checks() else None for checks in kinds]
        self.need_body = [request.checks.need_body for request in self.spec.requests]
        self.ready = [template.ready for template in self.content.templates]
        self.methods = [request.method for request in self.spec.requests]
        self.lags: list[float] = []
        self.begin = self.warm_until = 0.0
        self.sent = 0
        self.end: End | None = None

    async def run(self) -> End:
        self.loop = asyncio.get_running_loop()
        self.over = asyncio.Event()
        self.loop.set_exception_handler(self._broke)
        for number in (signal.SIGTERM, signal.SIGINT):
            self.loop.add_signal_handler(number, self.stop, End("stopped", "It was asked to stop."))
        try:
            await self._connect()
        except (OSError, TimeoutError) as problem:
            self.recorder.close()
            return End("error", f"{self.plan.target} can't be reached: {_told(problem)}.", facts=machine())
        before, started_at = machine(), time() + AHEAD
        self.begin = perf_counter() + AHEAD
        self.warm_until = self.begin + self.spec.warmup if self.spec.warmup else 0.0
        # Whole seconds of garbage collection would show as the target's latency.
        gc.freeze()
        gc.disable()
        source = Arrivals(self) if self.spec.arrival else Users(self)
        source.start()
        chores = [self.loop.create_task(task()) for task in (self._flush, self._look, self._expire)]
        await self.over.wait()
        for task in chores:
            task.cancel()
        return self._close(source, {**before, "started_at": started_at, "ended_at": time()})

    def stop(self, end: End) -> None:
        """End the load now."""
        if self.end is None:
            self.end = end
            self.over.set()

    def is_warmup(self, at: float) -> bool:
        """Whether a request meant for `at`, a time of perf_counter, counts in no figure."""
        return at < self.warm_until

    def fire(self, intended: float, kind: int, n: int, user: int, owner: object = None) -> None:
        """Send one request of a kind; `intended` is a time of perf_counter."""
        data = self.ready[kind] or self.content.request(kind, n, user)
        call = Call(intended, kind, self.methods[kind], data, owner)
        if self.need_body[kind]:
            call.body = []
        self.sent += 1
        self.pool.submit(call)

    def ended(self, call: Call, status: int, timing: bytes, problem: str) -> None:
        """Keep what became of a request, and let its owner go on."""
        now = perf_counter()
        latency = now - call.intended
        flags = WARM_UP if call.intended < self.warm_until else 0
        if problem:
            flags |= TIMED_OUT if problem == "timed out" else NOT_CONNECTED
        elif (checks := self.checks[call.kind]) is None:
            if not 200 <= status < 400:
                flags |= CHECK_FAILED
        else:
            body = b"".join(call.body) if call.body else b""
            if not is_right(checks, status, latency, call.size, body):
                flags |= CHECK_FAILED
        if timing:
            for component, seconds in parse(timing):
                self.recorder.add_part(component, seconds)
        begin, sent = self.begin, call.sent
        self.recorder.add(
            call.intended - begin, sent - begin, latency, now - sent, call.kind, status, call.size, flags
        )
        if call.user is not None:
            call.user.go_on(now)

    def _broke(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """An error of our own must not look like a silent target."""
        problem = context.get("exception")
        traceback.print_exception(problem)
        self.stop(End("error", f"The generator broke: {type(problem).__name__}: {problem}."))

    async def _connect(self) -> None:
        """Look the name up once, and open some connections before the first request is due."""
        scheme, host, port = self.plan.address
        secure = ssl.create_default_context() if scheme == "https" else None
        if secure and not self.spec.verify_tls:
            secure.check_hostname, secure.verify_mode = False, ssl.CERT_NONE
        found = await self.loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, *_, address = found[0]
        name = host if secure else None

        self.address = str(address[0])

        def connect(factory: Callable[[], Connection]) -> Any:
            return self.loop.create_connection(
                factory, self.address, port, ssl=secure, server_hostname=name, family=family
            )

        self.pool = Pool(connect, limit=self.spec.connections, timeout=self.spec.timeout, done=self.ended)
        rate = self.spec.arrival.first_rate if self.spec.arrival else self.spec.users
        for _ in range(min(self.spec.connections, 1 + int(rate / 10), 256)):
            self.pool.open()
        await asyncio.wait(list(self.pool.opening))
        if not self.pool.opened:
            raise ConnectionError(self.pool.problem)

    async def _flush(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_EVERY)
            self.recorder.flush()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            self._tick()

    def _tick(self) -> None:
        now = perf_counter()
        lags, self.lags = self.lags, []
        rows = self.recorder.take_recent()
        if end := self.watch.tick(now - self.begin, rows, lags, self.pool.ages(now)):
            self.stop(end)
        if self.recorder.problem:
            self.stop(End("error", self.recorder.problem))

    async def _expire(self) -> None:
        while True:
            await asyncio.sleep(min(0.05, self.spec.timeout / 10))
            self.pool.expire(perf_counter())

    def _close(self, source: Arrivals | Users, facts: dict[str, object]) -> End:
        unanswered = self.pool.in_flight
        self._tick()
        self.pool.close()
        self.recorder.close()
        end = self.end or End()
        if end.reason == "done" and self.recorder.problem:
            end = End("error", self.recorder.problem)
        left = source.left_unsent(perf_counter()) if end.reason == "done" else 0
        end.generator_limit = self.watch.limit(left_unsent=left)
        end.facts = {
            **facts,
            "version": 1,
            "processes": 1,
            "loop": source.kind,
            "address": self.address,
            "cpu": round(self.watch.cpu, 4),
            "late": self.watch.lags.as_facts(),
            "sent": self.sent,
            "unanswered": unanswered,
            "waited_for_connection": self.pool.waited,
            "connections": self.pool.opened,
            "coordinated_omission": source.omission,
        }
        return end


def _told(problem: BaseException) -> str:
    return str(getattr(problem, "strerror", None) or problem or type(problem).__name__).rstrip(".")


def main(plan_path: Path, folder: Path) -> int:
    engine = Engine(read_plan(plan_path, secrets_input()), folder)
    return end_with(folder, uvloop.run(engine.run()))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
