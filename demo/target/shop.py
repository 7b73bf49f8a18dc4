"""What the shop answers."""

from __future__ import annotations

import dataclasses
import hashlib
import html
import json
import random
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from demo.target.store import PRODUCTS, Store
from demo.target.switches import BadSwitch, Switches
from demo.target.timing import Timing

PAYMENT = 0.004  # seconds that the bank takes on a good day
TEMPLATE = 0.003  # seconds that the shop's template engine waits for its parts
UPLOAD_LIMIT = 20_000_000  # bytes


@dataclass(frozen=True)
class Answer:
    """Status, body and type; `timing` is of the parts that made it."""

    status: int
    body: bytes
    kind: str = "text/html; charset=utf-8"
    timing: str = ""


class Shop:
    """All state that requests share."""

    def __init__(self, store: Store, switches: Switches) -> None:
        self.store, self.switches = store, switches
        self.lock = threading.Lock()
        self.free = threading.Condition()
        self.busy = 0
        self.served = 0
        self.kept: list[bytes] = []
        self.recent: deque[float] = deque(maxlen=5000)
        self.chance = random.Random(7)

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        """Answer one request; the switches themselves are never slow or failing."""
        if path == "/health":
            return Answer(200, b"ok\n", "text/plain")
        if path == "/switches":
            return self._switch(method, body)
        with self._worker():
            timing = Timing()
            if self._fails():
                return Answer(500, b"The shop is out of order.\n", "text/plain", timing.header())
            self._ail(path, timing)
            answer = self._page(method, path, body, timing)
            self.served += 1
            return dataclasses.replace(answer, timing=timing.header())

    def _page(self, method: str, path: str, body: bytes, timing: Timing) -> Answer:
        place, _, rest = path.split("?")[0].strip("/").partition("/")
        if method == "GET" and place in {"", "catalog"}:
            with self._database(timing):
                rows = self.store.ask("SELECT id, name, price FROM products ORDER BY price LIMIT 40")
            return self._render("Catalog", rows, timing)
        if method == "GET" and place == "product":
            with self._database(timing):
                rows = self.store.ask("SELECT id, name, price FROM products WHERE id = ?", _number(rest))
            return self._render("Product", rows, timing) if rows else Answer(404, b"No such product.\n")
        if place == "cart":
            return self._cart(method, rest or "guest", timing)
        if method == "POST" and place == "checkout":
            return self._checkout(rest or "guest", timing)
        if method in {"POST", "PUT"} and place == "upload":
            return self._upload(rest or "file", body, timing)
        return Answer(404, b"There is no such page.\n", "text/plain")

    def _cart(self, method: str, user: str, timing: Timing) -> Answer:
        with self._database(timing):
            if method == "POST":
                product = 1 + self.served % PRODUCTS
                line = "INSERT INTO lines VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1"
                self.store.change((line, (user, product)))
            wanted = "SELECT product, count, 0 FROM lines WHERE user = ? LIMIT 40"
            rows = self.store.ask(wanted, user)
        return self._render("Cart", rows, timing)

    def _checkout(self, user: str, timing: Timing) -> Answer:
        with self._database(timing):
            self.store.change(
                ("INSERT INTO orders (user, amount) VALUES (?, ?)", (user, 100)),
                ("DELETE FROM lines WHERE user = ?", (user,)),
            )
        with timing.part("payment"):
            time.sleep(PAYMENT + self.switches.payment)
        return self._render("Thank you", [(0, user, 100)], timing)

    def _upload(self, name: str, body: bytes, timing: Timing) -> Answer:
        digest = hashlib.sha256(body).hexdigest()
        with self._database(timing):
            self.store.change(("INSERT OR REPLACE INTO uploads VALUES (?, ?, ?)", (name, len(body), digest)))
        text = json.dumps({"name": name, "size": len(body), "sha256": digest})
        return Answer(201, text.encode(), "application/json")

    def _render(self, title: str, rows: list[tuple], timing: Timing) -> Answer:
        with timing.part("rendering"):
            time.sleep(TEMPLATE + self.switches.rendering)
            lines = "".join(
                f"<tr><td>{number}<td>{html.escape(str(name))}<td>{price}" for number, name, price in rows
            )
            page = f"<!doctype html><title>{title}</title><h1>{title}</h1><table>{lines}</table>"
        return Answer(200, page.encode())

    @contextmanager
    def _database(self, timing: Timing) -> Iterator[None]:
        with timing.part("database"):
            if self.switches.database:
                time.sleep(self.switches.database)
            yield

    def _ail(self, path: str, timing: Timing) -> None:
        """Do what the switches say that every request does."""
        on = self.switches
        with timing.part("lock"):
            self.lock.acquire()
        try:
            if on.lock:
                time.sleep(on.lock)
        finally:
            self.lock.release()
        if on.cpu:
            until = time.thread_time() + on.cpu
            while time.thread_time() < until:
                hashlib.sha256(b"work" * 200).digest()
        if on.leak_memory:
            self.kept.append(b"\1" * on.leak_memory)
        if on.leak_latency:
            time.sleep(min(self.served * on.leak_latency, 30))
        if on.outliers and path.startswith("/product") and self.chance.random() < on.outliers:
            time.sleep(on.outlier_time)

    def _fails(self) -> bool:
        now = time.monotonic()
        self.recent.append(now)
        if not self.switches.errors:
            return False
        rate = sum(at > now - 0.5 for at in list(self.recent)) * 2
        return rate > self.switches.errors_above and self.chance.random() < self.switches.errors

    @contextmanager
    def _worker(self) -> Iterator[None]:
        """Wait until one of the workers is free; the one who waits can't tell, as in real servers."""
        with self.free:
            while 0 < self.switches.workers <= self.busy:
                self.free.wait(0.5)
            self.busy += 1
        try:
            yield
        finally:
            with self.free:
                self.busy -= 1
                self.free.notify()

    def _switch(self, method: str, body: bytes) -> Answer:
        """Show the switches, move some (POST) or turn all off (DELETE)."""
        try:
            if method == "POST":
                values: Any = json.loads(body or b"{}")
                if not isinstance(values, dict):
                    raise BadSwitch('Send an object, as in {"database": 0.05}.')
                self.switches, self.served = self.switches.changed(values), 0  # leaks begin now
        except ValueError as problem:
            said = str(problem) if isinstance(problem, BadSwitch) else f"That is no JSON: {problem}."
            return Answer(400, json.dumps({"detail": said}).encode(), "application/json")
        if method == "DELETE":
            self.switches, self.served = Switches(), 0
            self.kept.clear()
        return Answer(200, json.dumps(dataclasses.asdict(self.switches)).encode(), "application/json")


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0
