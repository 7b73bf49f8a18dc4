"""A target whose truth is known: one server that takes requests in their order, each for a set time.

`python -m tests.performance.queue_server FILE` listens on a port of its own choice, says which, and answers
GET /<n> when its queue has served request n for FILE's n-th number of seconds.  Every kind of misbehavior
that tests need has a path of its own.
"""

from __future__ import annotations

import asyncio
import heapq
import json
import sys
from pathlib import Path
from time import perf_counter

from performance.generators.alarm import Alarm


class Queue:
    """Serves one after another in its own time; the machine needs next to nothing for it."""

    def __init__(self, services: list[float]) -> None:
        self.services, self.free_at = services, 0.0
        self.leaving: list[tuple[float, int, asyncio.Transport]] = []
        self.alarm = Alarm(asyncio.get_running_loop(), self.go)
        self.count = 0

    def enter(self, n: int, transport: asyncio.Transport) -> None:
        now = perf_counter()
        self.free_at = max(now, self.free_at) + self.services[n % len(self.services)]
        self.count += 1
        heapq.heappush(self.leaving, (self.free_at, self.count, transport))
        self.alarm.set(self.leaving[0][0])

    def go(self) -> None:
        now = perf_counter()
        while self.leaving and self.leaving[0][0] <= now:
            _, _, transport = heapq.heappop(self.leaving)
            transport.write(answer(b"ok"))
        if self.leaving:
            self.alarm.set(self.leaving[0][0])


def answer(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Target(asyncio.Protocol):
    """One connection."""

    queue: Queue
    seen: list[dict[str, str]] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.buffer = transport, b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head, rest = self.buffer[:end].decode(), self.buffer[end + 4 :]
            headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:])
            length = int(headers.get("content-length", 0))
            if len(rest) < length:
                return
            self.buffer = rest[length:]
            self.respond(head.split("\r\n")[0].split(" "), head, rest[:length])

    def respond(self, line: list[str], head: str, body: bytes) -> None:
        method, path, _ = line
        write = self.transport.write
        if path.lstrip("/").isdecimal():
            self.queue.enter(int(path[1:]), self.transport)
        elif path.startswith("/echo"):
            told = json.dumps({"line": " ".join(line), "head": head, "body": body.decode("latin-1")}).encode()
            Target.seen.append(json.loads(told))
            write(answer(told, "200 OK", "Server-Timing: db;dur=4.5, cache;dur=0.5"))
        elif path == "/seen":
            write(answer(json.dumps(Target.seen).encode()))
        elif path == "/chunked":
            write(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
            )
        elif path == "/closes":
            write(b"HTTP/1.1 200 OK\r\n\r\nuntil the end")
            self.transport.close()
        elif path == "/hangs":
            pass
        elif path == "/drops":
            self.transport.abort()
        elif path == "/moved":
            write(answer(b"", "302 Found", "Location: http://elsewhere.example/"))
        elif path == "/broken":
            write(answer(b"no", "500 Internal Server Error"))
        else:
            write(answer(b"" if method == "HEAD" else b"ok"))


async def main(services: list[float]) -> None:
    loop = asyncio.get_running_loop()
    Target.queue = Queue(services)
    server = await loop.create_server(Target, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text()) if len(sys.argv) > 1 else [0.0]))
