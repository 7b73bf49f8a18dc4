"""The shop's database: SQLite in a file of its own, one connection per thread."""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

PRODUCTS = 500
ROUND_TRIP = 0.003  # seconds: a database is on another machine, as a rule

_TABLES = """
CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT, price INTEGER, stock INTEGER);
CREATE TABLE lines (user TEXT, product INTEGER, count INTEGER, PRIMARY KEY (user, product));
CREATE TABLE orders (id INTEGER PRIMARY KEY, user TEXT, amount INTEGER);
CREATE TABLE uploads (name TEXT PRIMARY KEY, size INTEGER, digest TEXT);
"""


class Store:
    """Questions and changes; prices in cents."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.mine = threading.local()
        made = self.connection
        made.executescript(_TABLES)
        rows = [(n, f"Thing {n}", 100 + n * 7 % 900, 1_000_000) for n in range(1, PRODUCTS + 1)]
        with made:
            made.executemany("INSERT INTO products VALUES (?, ?, ?, ?)", rows)

    @property
    def connection(self) -> sqlite3.Connection:
        if not hasattr(self.mine, "connection"):
            self.mine.connection = sqlite3.connect(self.file, timeout=10)
            self.mine.connection.execute("PRAGMA journal_mode=WAL")
            self.mine.connection.execute("PRAGMA synchronous=OFF")
        return self.mine.connection

    def ask(self, question: str, *values: Any) -> list[tuple]:
        time.sleep(ROUND_TRIP)
        return self.connection.execute(question, values).fetchall()

    def change(self, *statements: tuple[str, tuple]) -> None:
        time.sleep(ROUND_TRIP)
        with self.connection as connection:
            for statement, values in statements:
                connection.execute(statement, values)
