"""What workers remember together for a while: answers with their ETags, tokens of Apps, who refreshes.

Redis where there is one; a command without a server remembers for itself.  Nothing here is needed to
be right, only to be cheap, so whatever is lost is asked again.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis

_MOST = 2_000  # entries that a process remembers for itself


class Memory:
    """Bytes by name, each with the seconds that they are good for."""

    def __init__(self, url: str) -> None:
        self.redis: Any = redis.Redis.from_url(url, socket_connect_timeout=2, socket_timeout=5)
        self.own: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self.lock = threading.RLock()

    def get(self, name: str) -> bytes | None:
        """Return what was put under `name`, if it is still good."""
        found: bytes | None
        try:
            found = self.redis.get(self._key(name))
        except redis.RedisError:
            until, value = self.own.get(name, (0.0, b""))
            found = value if until > time.monotonic() else None
        return found

    def put(self, name: str, value: bytes, seconds: float) -> None:
        """Keep `value` for so long."""
        try:
            self.redis.set(self._key(name), value, ex=max(int(seconds), 1))
        except redis.RedisError:
            self.own[name] = (time.monotonic() + seconds, value)
            while len(self.own) > _MOST:
                self.own.popitem(last=False)

    def forget(self, name: str) -> None:
        """Drop what is under `name`."""
        self.own.pop(name, None)
        try:
            self.redis.delete(self._key(name))
        except redis.RedisError:
            return

    @contextmanager
    def alone(self, name: str, seconds: float = 20.0) -> Iterator[None]:
        """Be the only one at `name`, among all workers; others wait, at most so long."""
        lock = None
        with self.lock:
            try:
                lock = self.redis.lock(self._key(f"lock:{name}"), timeout=seconds, blocking_timeout=seconds)
                lock.acquire()
            except redis.RedisError:
                lock = None
            try:
                yield
            finally:
                if lock is not None:
                    self._free(lock)

    @staticmethod
    def _free(lock: Any) -> None:
        try:
            lock.release()
        except redis.RedisError:
            return  # it ran out meanwhile

    @staticmethod
    def _key(name: str) -> str:
        return f"runtrail:github:{name}"
