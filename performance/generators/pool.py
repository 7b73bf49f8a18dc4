"""The connections of a load: kept, opened when wanted, never more than the limit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import Any

from performance.generators.http import Call, Connection


class Pool:
    """Connections to one address, up to `limit`; who finds none waits in the order of arrival."""

    def __init__(
        self,
        connect: Callable[[Callable[[], Connection]], Any],
        *,
        limit: int,
        timeout: float,
        done: Callable[[Call, int, bytes, str], None],
    ) -> None:
        self.connect, self.limit, self.timeout, self.done = connect, limit, timeout, done
        self.idle: list[Connection] = []
        self.busy: dict[Connection, None] = {}
        self.waiting: dict[Call, None] = {}
        self.opening: set[asyncio.Task[None]] = set()
        self.waited, self.opened, self.problem = 0, 0, ""

    @property
    def in_flight(self) -> int:
        return len(self.busy) + len(self.waiting)

    def submit(self, call: Call) -> None:
        if self.idle:
            connection = self.idle.pop()
            self.busy[connection] = None
            connection.send(call)
            return
        self.waiting[call] = None
        self.waited += 1
        if len(self.busy) + len(self.opening) < self.limit:
            self.open()

    def open(self) -> None:
        task = asyncio.get_running_loop().create_task(self._open())
        self.opening.add(task)
        task.add_done_callback(self.opening.discard)

    async def _open(self) -> None:
        try:
            async with asyncio.timeout(self.timeout):
                _, connection = await self.connect(lambda: Connection(self))
        except (OSError, TimeoutError) as problem:
            self.problem = str(problem) or "no connection within the time limit"
            if call := self._next():
                call.sent = call.sent or perf_counter()
                self.done(call, 0, b"", "not connected")
            return
        self.opened += 1
        self._free(connection)

    def answered(self, connection: Connection, call: Call, status: int, timing: bytes) -> None:
        del self.busy[connection]
        if connection.closes:
            connection.close()
        elif self.waiting:
            self._free(connection)
        else:
            self.idle.append(connection)
        self.done(call, status, timing, "")

    def lost(self, connection: Connection, call: Call | None) -> None:
        self.busy.pop(connection, None)
        if connection in self.idle:
            self.idle.remove(connection)
        if call is not None:
            # A kept connection may be closed by the other side just as it is used again.
            if connection.is_reused and not connection.heard and call.can_be_repeated:
                call.tries += 1
                self.submit(call)
            else:
                self.problem = "the connection was closed before the answer's end"
                self.done(call, 0, b"", "not connected")
        if self.waiting and len(self.busy) + len(self.opening) < self.limit:
            self.open()

    def expire(self, now: float) -> None:
        """End what has waited longer than the time limit."""
        for connection in list(self.busy):
            call = connection.call
            if call is None or now - call.sent < self.timeout:
                break  # they stand in the order of their sending
            connection.call = None
            self.busy.pop(connection, None)
            connection.close()
            self.done(call, 0, b"", "timed out")
        for call in list(self.waiting):
            if now - call.intended < self.timeout:
                break
            self.waiting.pop(call)
            call.sent = now
            self.done(call, 0, b"", "timed out")

    def ages(self, now: float) -> list[float]:
        """Seconds that each request in flight has been waiting since its intended time."""
        calls = [connection.call for connection in self.busy if connection.call]
        return [now - call.intended for call in (*calls, *self.waiting)]

    def close(self) -> None:
        for connection in (*self.idle, *self.busy):
            connection.call = None
            connection.close()

    def _free(self, connection: Connection) -> None:
        if call := self._next():
            self.busy[connection] = None
            connection.send(call)
        else:
            self.idle.append(connection)

    def _next(self) -> Call | None:
        for call in self.waiting:
            del self.waiting[call]
            return call
        return None
