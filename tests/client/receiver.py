"""A receiver of reports that can be slow, broken, full or gone; it keeps what it was sent."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

ANSWER = {"id": "7", "testRunId": "local-20260202-143052", "status": "stored", "passed": 1, "problems": []}


class Receiver(ThreadingHTTPServer):
    """Answers 201 to reports unless `behave` does something else with the request."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.reports: list[bytes] = []
        self.requests: list[dict[str, Any]] = []
        self.answers: dict[str, Any] = {}  # path -> JSON answer of a GET
        self.behave: Callable[[Any], bool] = lambda handler: False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def lines(self, number: int = -1) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.reports[number].splitlines()]

    def handle_error(self, request, client_address) -> None:
        """A client that went away is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        self._keep()
        if self.server.behave(self):
            return
        body = self.rfile.read(int(self.headers["Content-Length"]))
        packed = self.headers.get("Content-Encoding") == "gzip"
        self.server.reports.append(gzip.decompress(body) if packed else body)
        self.answer(201, ANSWER)

    def do_GET(self) -> None:
        self._keep()
        if self.server.behave(self):
            return
        found = self.server.answers.get(urlsplit(self.path).path.removeprefix("/api/v1/"))
        found = found(self.server.requests[-1]["query"]) if callable(found) else found
        self.answer(
            200 if found is not None else 404, found if found is not None else {"detail": "Not found."}
        )

    def answer(self, status: int, content: Any, **headers: str) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _keep(self) -> None:
        address = urlsplit(self.path)
        query = {name: ",".join(values) for name, values in parse_qs(address.query).items()}
        self.server.requests.append({"path": address.path, "query": query, "headers": dict(self.headers)})

    def log_message(self, *_: Any) -> None:
        """The suite's output is for its own results."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()
    thread = threading.Thread(target=receiver.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.shutdown()
        receiver.server_close()
        thread.join()


def with_status(status: int, content: Any = None, **headers: str) -> Callable[[Any], bool]:
    def behave(handler: Any) -> bool:
        handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        handler.answer(status, content if content is not None else {"detail": "so it is"}, **headers)
        return True

    return behave


def hanging_up(handler: Any) -> bool:
    """Read half of what comes and close the connection."""
    handler.rfile.read(int(handler.headers["Content-Length"]) // 2)
    handler.connection.close()
    return True


def sleeping(seconds: float) -> Callable[[Any], bool]:
    def behave(handler: Any) -> bool:
        time.sleep(seconds)
        return False

    return behave
