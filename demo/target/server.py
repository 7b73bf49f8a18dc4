"""HTTP/1.1 over threads: one per connection, connections stay open."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from http import HTTPStatus

from demo.target.shop import UPLOAD_LIMIT, Answer, Shop

LONGEST_LINE = 16_384  # bytes


class Server(socketserver.ThreadingTCPServer):
    """Listens at once; `serve_forever()` answers."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 256
    block_on_close = False

    def __init__(self, address: tuple[str, int], shop: Shop) -> None:
        self.shop = shop
        super().__init__(address, Handler)

    @property
    def port(self) -> int:
        return self.server_address[1]

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that goes away is no error of a server under load."""


class Handler(socketserver.StreamRequestHandler):
    """One connection."""

    disable_nagle_algorithm = True
    timeout = 120  # seconds that a connection may stay silent
    server: Server

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            while self._one():
                pass

    def _one(self) -> bool:
        line = self.rfile.readline(LONGEST_LINE).split()
        if len(line) != 3:
            return False
        method, path = line[0].decode("latin-1"), line[1].decode("latin-1")
        headers = self._headers()
        size = headers.get("content-length", "0")
        if not size.isdecimal() or int(size) > UPLOAD_LIMIT or "transfer-encoding" in headers:
            self._send(Answer(413, b"Send a Content-Length of at most 20 MB.\n", "text/plain"), last=True)
            return False
        body = self.rfile.read(int(size))
        last = headers.get("connection", "").lower() == "close" or line[2] == b"HTTP/1.0"
        self._send(self.server.shop.answer(method, path, body), last=last)
        return not last

    def _headers(self) -> dict[str, str]:
        found = {}
        while (line := self.rfile.readline(LONGEST_LINE).strip()) and len(found) < 100:
            name, _, value = line.decode("latin-1").partition(":")
            found[name.strip().lower()] = value.strip()
        return found

    def _send(self, answer: Answer, *, last: bool) -> None:
        head = [
            f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}",
            f"Content-Type: {answer.kind}",
            f"Content-Length: {len(answer.body)}",
            *([f"Server-Timing: {answer.timing}"] if answer.timing else []),
            *(["Connection: close"] if last else []),
        ]
        # In one piece: head and body apart would wait for each other (Nagle and delayed acknowledgments).
        self.wfile.write("\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + answer.body)


def in_background(server: Server) -> threading.Thread:
    """Serve in a thread of this process; `server.shutdown()` ends it."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    return thread
