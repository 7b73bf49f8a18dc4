"""The bytes of each request, with its names filled in, and whether an answer is as it must be."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import numpy as np

from performance.generators.base import Plan
from performance.placeholders import compiled, fill
from performance.specified import Checks, Request


class Content:
    """Makes requests; those without names are made once."""

    def __init__(self, plan: Plan) -> None:
        self.plan, spec = plan, plan.spec
        scheme, host, port = plan.address
        shown = f"[{host}]" if ":" in host else host
        usual = port == (443 if scheme == "https" else 80)
        self.host = shown if usual else f"{shown}:{port}"
        self.base = urlsplit(plan.target).path.rstrip("/")
        self.fixed = {**plan.secrets, **plan.variables}
        self.rows = spec.data.rows
        self.files = _files(plan)
        self.templates = [Template(self, request) for request in spec.requests]

    def values(self, n: int, user: int = 0) -> dict[str, str]:
        """What the names stand for in the `n`-th request; `user` chooses the row where users go on."""
        found = {**self.fixed, "n": str(n), "user_number": str(user)}
        if self.rows:
            found.update(self.rows[user % len(self.rows)])
        if self.files:
            number = n % len(self.files)
            unique = f"{self.plan.run or self.plan.seed}-{n}-" if self.plan.spec.data.unique_names else ""
            found["file"] = f"{unique}file-{number}.bin"
        return found

    def request(self, number: int, n: int, user: int) -> bytes:
        """The bytes of the `n`-th request, of the kind `number`."""
        template = self.templates[number]
        return template.ready or template.make(n, self.values(n, user))


@dataclass(frozen=True, slots=True)
class Pieces:
    """A request for a client that writes it itself."""

    path: str
    headers: dict[str, str]
    body: bytes


class Template:
    """One kind of request; what needs no names is made once."""

    def __init__(self, content: Content, kind: Request) -> None:
        self.content, self.kind = content, kind
        self.path = compiled(content.base + kind.path)
        headers = {
            "User-Agent": "Runtrail",
            "Accept": "*/*",
            **({"Content-Type": "application/json"} if kind.body_is_json else {}),
            **content.plan.headers,
            **kind.headers,
            **auth_headers(content.plan),
        }
        self.headers = compiled("".join(f"{name}: {value}\r\n" for name, value in headers.items()))
        self.body = compiled(kind.body)
        self.ready = b""
        if len(self.path) == len(self.headers) == len(self.body) == 1:
            self.ready = self.make(0, {})

    def make(self, n: int, values: Mapping[str, str]) -> bytes:
        body = self._body(n, values)
        path = fill(self.path, values, lambda text: quote(text, safe=""))
        headers = fill(self.headers, values, _in_one_line)
        if body or self.kind.method in ("POST", "PUT", "PATCH"):
            headers += f"Content-Length: {len(body)}\r\n"
        line = f"{self.kind.method} {path} HTTP/1.1\r\nHost: {self.content.host}\r\n"
        return (line + headers + "\r\n").encode("utf-8", "replace") + body

    def as_pieces(self, n: int, values: Mapping[str, str]) -> Pieces:
        lines = fill(self.headers, values, _in_one_line).split("\r\n")[:-1]
        headers = dict(line.split(": ", 1) for line in lines)
        return Pieces(
            fill(self.path, values, lambda text: quote(text, safe="")), headers, self._body(n, values)
        )

    def _body(self, n: int, values: Mapping[str, str]) -> bytes:
        if "file_content" in self.body[1::2]:
            file = self.content.files[n % len(self.content.files)]
            pieces = [piece.encode() for piece in self.body[::2]]
            names = [
                file if name == "file_content" else fill(["", name, ""], values).encode()
                for name in self.body[1::2]
            ]
            return b"".join(part for pair in zip(pieces, [*names, b""], strict=True) for part in pair)
        escape = _in_json if self.kind.body_is_json else str
        return fill(self.body, values, escape).encode()


def auth_headers(plan: Plan) -> dict[str, str]:
    """The header that says who sends."""
    auth = plan.spec.auth
    if auth.kind == "none":
        return {}
    secret = plan.secrets.get(auth.secret, "")
    if auth.kind == "bearer":
        return {"Authorization": f"Bearer {secret}"}
    if auth.kind == "basic":
        return {"Authorization": "Basic " + base64.b64encode(secret.encode()).decode()}
    return {auth.header: secret}


def is_right(checks: Checks, status: int, latency: float, size: int, body: bytes) -> bool:
    """Whether an answer passes its checks."""
    if not (status in checks.status if checks.status else 200 <= status < 400):
        return False
    if checks.max_latency is not None and latency > checks.max_latency:
        return False
    if checks.max_bytes is not None and size > checks.max_bytes:
        return False
    if checks.contains and checks.contains.encode() not in body:
        return False
    return not checks.json or _has(body, checks.json)


def _has(body: bytes, wanted: dict[str, Any]) -> bool:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return all(_at(answer, path) == value for path, value in wanted.items())


def _at(answer: Any, path: str) -> Any:
    """The value at a path as in cart.items.0.price; a key that has dots itself is tried first."""
    if isinstance(answer, dict) and path in answer:
        return answer[path]
    key, _, rest = path.partition(".")
    if isinstance(answer, list) and key.isdecimal() and int(key) < len(answer):
        inner = answer[int(key)]
    elif isinstance(answer, dict) and key in answer:
        inner = answer[key]
    else:
        return None
    return _at(inner, rest) if rest else inner


def _files(plan: Plan) -> list[bytes]:
    draw = np.random.default_rng([abs(plan.seed), 3])
    return [draw.bytes(plan.spec.data.size) for _ in range(plan.spec.data.files)]


def _in_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _in_one_line(text: str) -> str:
    return "".join(text.splitlines())
