"""HTTP for the double: routes, limits, conditional requests, and a log of calls that tests count."""

from __future__ import annotations

import hashlib
import json
import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import jwt

from tests.github_double import judge
from tests.github_double.leaving import stored
from tests.github_double.routes import ROUTES
from tests.github_double.saying import Drop, Said
from tests.github_double.world import World

TOKEN = "a-token-for-tests"
_OLD_NAME = re.compile(r"/repos/([^/]+/[^/]+)(/.*)?$")


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    query: dict[str, str]
    status: int
    token: str
    conditional: bool


class Server:
    """Serves a world on loopback; `with Server(world) as github: … github.url`."""

    def __init__(
        self, world: World, *, port: int = 0, enterprise: str = "", check: bool | None = None
    ) -> None:
        self.world, self.enterprise = world, enterprise
        self.tokens: set[str] = {TOKEN}
        self.app_key = ""  # public, PEM
        self.log: list[Call] = []
        self.violations: list[str] = []
        self.check = judge.is_there() if check is None else check
        self.calls_made = 0
        self.judged: set[tuple[object, ...]] = set()
        double = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_method(self) -> None:
                double.handle(self)

            do_GET = do_POST = do_DELETE = do_PATCH = do_PUT = handle_one_method

            def log_message(self, *_: object) -> None:
                return

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, request: Any, client_address: Any) -> None:
                return  # a client that went away

        self.http = Quiet(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        world.base = self.url
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Server:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.http.shutdown()
        self.http.server_close()

    def calls(self, method: str = "", path: str = "", status: int = 0) -> list[Call]:
        """The calls so far, by method, by a pattern of the path, by status."""
        return [
            call
            for call in self.log
            if method in ("", call.method) and re.search(path, call.path) and status in (0, call.status)
        ]

    def handle(self, http: BaseHTTPRequestHandler) -> None:
        length = int(http.headers.get("Content-Length") or 0)
        body = http.rfile.read(length) if length else b""
        with self.world.lock:
            if http.path == "/_double/messages":  # for workers of other processes
                self.send(http, Said(200, self.world.take_messages()), body)
                return
            try:
                said = self.answer(http.command, http.path, dict(http.headers), body)
            except Drop:
                http.close_connection = True
                http.connection.shutdown(socket.SHUT_RDWR)
                return
        self.send(http, said, body)

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Said:
        headers = {name.lower(): value for name, value in headers.items()}
        parts = urlsplit(target)
        path, query = unquote(parts.path), dict(parse_qsl(parts.query))
        token = headers.get("authorization", "").removeprefix("Bearer ").removeprefix("token ")
        if found := re.fullmatch(r"/_store/(\d+)", path):  # not GitHub's API, and not in its limits
            return stored(self, found[1], query, token)
        self.calls_made += 1
        said = (
            self._refused(token, path)
            or self._moved(method, parts)
            or self._routed(method, path, query, body)
        )
        self.log.append(Call(method, path, query, said.status, _identity(token), "if-none-match" in headers))
        etag = (
            f'W/"{hashlib.sha256((token + json.dumps(said.data, sort_keys=True)).encode()).hexdigest()[:20]}"'
        )
        if method == "GET" and said.status == 200:
            said.headers["ETag"] = etag
            if headers.get("if-none-match") == etag:
                said = Said(304, None, {"ETag": etag})
        self._judge(method, target, headers, body, said)
        return said

    def send(self, http: BaseHTTPRequestHandler, said: Said, body: bytes) -> None:
        raw = isinstance(said.data, bytes)
        content = b"" if said.data is None else said.data if raw else json.dumps(said.data).encode()
        http.send_response_only(said.status)
        now = self.world.now + timedelta(seconds=self.world.faults.clock_offset)
        http.send_header("Date", format_datetime(now, usegmt=True))
        if self.enterprise:
            http.send_header("X-GitHub-Enterprise-Version", self.enterprise)
        for name, value in said.headers.items():
            http.send_header(name, value)
        if said.status not in (204, 304):
            http.send_header("Content-Type", "application/zip" if raw else "application/json; charset=utf-8")
            http.send_header("Content-Length", str(len(content)))
        http.end_headers()
        if said.status not in (204, 304):
            http.wfile.write(content)

    def _refused(self, token: str, path: str) -> Said | None:
        faults = self.world.faults
        if faults.down:
            return Said(503, {"message": "No server is currently available to service your request."})
        if faults.token_ends_after is not None and self.calls_made > faults.token_ends_after:
            self.tokens.discard(token)
        is_app = path.startswith("/app") or path.endswith("/installation")
        if token in self.tokens or (is_app and self.app_key and self._is_the_app(token)):
            return None
        return Said(401, {"message": "Bad credentials"})

    def _is_the_app(self, token: str) -> bool:
        now = (self.world.now + timedelta(seconds=self.world.faults.clock_offset)).timestamp()
        options: Any = {"verify_exp": False, "verify_iat": False}
        try:
            claims = jwt.decode(token, self.app_key, algorithms=["RS256"], options=options)
        except jwt.PyJWTError:
            return False
        return bool(claims["iat"] <= now < claims["exp"] <= now + 600)

    def _moved(self, method: str, parts: Any) -> Said | None:
        found = _OLD_NAME.match(parts.path)
        if not found:
            return None
        repo = next((one for one in self.world.repos if found[1] in one.old_names), None)
        if repo is None:
            return None
        target = f"{self.url}/repositories/{repo.id}{found[2] or ''}" + (
            f"?{parts.query}" if parts.query else ""
        )
        return Said(301 if method == "GET" else 307, {"message": "Moved Permanently"}, {"Location": target})

    def _routed(self, method: str, path: str, query: dict[str, str], body: bytes) -> Said:
        by_number = re.match(r"/repositories/(\d+)(/.*)?$", path)
        if by_number:
            repo = next((one for one in self.world.repos if one.id == int(by_number[1])), None)
            path = f"/repos/{repo.full_name}{by_number[2] or ''}" if repo else path
        for wanted, pattern, act in ROUTES:
            found = re.fullmatch(pattern, path)
            if found and wanted == method:
                data = json.loads(body) if body else {}
                route: Callable[..., Said] = act
                return route(self, **found.groupdict(), query=query, data=data)
        return Said(404, {"message": "Not Found"})

    def _judge(self, method: str, target: str, headers: dict[str, str], body: bytes, said: Said) -> None:
        """Once for every form of request and answer: a thousand equal ones prove no more than one."""
        if not self.check or said.status in (301, 304, 307, 401, 503):
            return
        path = re.sub(r"\d+", "N", urlsplit(target).path)
        keys = tuple(sorted(said.data)) if isinstance(said.data, dict) else ()
        form = (method, path, said.status, keys, body[:40] if len(self.judged) < 200 else b"")
        if form in self.judged:
            return
        self.judged.add(form)
        version = headers.get("x-github-api-version", "2022-11-28")
        content = b"" if said.data is None else json.dumps(said.data).encode()
        self.violations += judge.faults_of(version, method, target, body, said.status, content, said.headers)


def _identity(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()[:8]
