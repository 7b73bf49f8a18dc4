"""A budget of calls, shared by all workers: GitHub punishes an identity, not a process.

Limits (GitHub's documentation, "Rate limits for the REST API" and "Best practices"): a second between
two writes, 80 writes a minute and 500 an hour, 900 points a minute where a read costs 1 and a write 5.
What GitHub itself says (`Retry-After`, an exhausted limit) closes the way for everybody until then.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import redis

READ_POINTS, WRITE_POINTS = 1, 5
HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be sent; `pause` in seconds between two writes."""

    pause: float = 1.0
    writes_per_minute: int = 80
    writes_per_hour: int = 500
    points_per_minute: int = 900

    def rules(self) -> list[tuple[float, int]]:
        """For writes: no more than `count` within `seconds`."""
        rules = [(60.0, self.writes_per_minute), (HOUR, self.writes_per_hour)]
        return [(self.pause, 1), *rules] if self.pause else rules


class Budget(Protocol):
    """Whose turn it is; times in seconds."""

    def wait(self, identity: str, *, is_write: bool) -> float:
        """Take a turn and return 0, or return after how long to ask again."""

    def close(self, identity: str, seconds: float) -> None:
        """Nobody may call for so long: GitHub said so."""


@dataclass
class _Lane:
    closed_until: float = 0.0
    writes: deque[float] = field(default_factory=deque)
    points: deque[tuple[float, int]] = field(default_factory=deque)


class ProcessBudget:
    """The budget of one process, for a command that runs without a server."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits, self.clock = limits, clock
        self.lanes: defaultdict[str, _Lane] = defaultdict(_Lane)
        self.lock = threading.Lock()

    def wait(self, identity: str, *, is_write: bool) -> float:
        with self.lock:
            lane, now = self.lanes[identity], self.clock()
            if lane.closed_until > now:
                return lane.closed_until - now
            cost = WRITE_POINTS if is_write else READ_POINTS
            while lane.points and lane.points[0][0] <= now - 60:
                lane.points.popleft()
            if sum(points for _, points in lane.points) + cost > self.limits.points_per_minute:
                return lane.points[0][0] + 60 - now
            if is_write:
                wait = self._wait_to_write(lane, now)
                if wait > 0:
                    return wait
                lane.writes.append(now)
            lane.points.append((now, cost))
            return 0.0

    def close(self, identity: str, seconds: float) -> None:
        with self.lock:
            lane = self.lanes[identity]
            lane.closed_until = max(lane.closed_until, self.clock() + seconds)

    def _wait_to_write(self, lane: _Lane, now: float) -> float:
        while lane.writes and lane.writes[0] <= now - HOUR:
            lane.writes.popleft()
        waits = [0.0]
        for seconds, count in self.limits.rules():
            if len(lane.writes) >= count:
                waits.append(lane.writes[-count] + seconds - now)
        return max(waits)


# One round trip, and nobody can come in between.  Redis' own clock serves all machines.
_TAKE = """
local t = redis.call('TIME'); local now = tonumber(t[1]) + tonumber(t[2]) / 1e6
local closed = tonumber(redis.call('GET', KEYS[1]) or '0')
if closed > now then return tostring(closed - now) end
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now - 60)
local cost, most = tonumber(ARGV[2]), tonumber(ARGV[3])
local spent = 0
for _, member in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
  spent = spent + tonumber(string.match(member, ':(%d+)$'))
end
if spent + cost > most then
  local first = redis.call('ZRANGE', KEYS[3], 0, 0, 'WITHSCORES')
  return tostring(tonumber(first[2]) + 60 - now)
end
if ARGV[1] == '1' then
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - 3600)
  local wait = 0
  for i = 4, #ARGV, 2 do
    local seconds, count = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
    local nth = redis.call('ZREVRANGE', KEYS[2], count - 1, count - 1, 'WITHSCORES')
    if nth[2] then wait = math.max(wait, tonumber(nth[2]) + seconds - now) end
  end
  if wait > 0 then return tostring(wait) end
  redis.call('ZADD', KEYS[2], now, t[1] .. t[2]); redis.call('EXPIRE', KEYS[2], 3700)
end
redis.call('ZADD', KEYS[3], now, t[1] .. '.' .. t[2] .. ':' .. cost); redis.call('EXPIRE', KEYS[3], 120)
return '0'
"""
_CLOSE = """
local t = redis.call('TIME'); local till = tonumber(t[1]) + tonumber(t[2]) / 1e6 + tonumber(ARGV[1])
if till > tonumber(redis.call('GET', KEYS[1]) or '0') then
  redis.call('SET', KEYS[1], tostring(till), 'EX', math.ceil(tonumber(ARGV[1])) + 60)
end
"""


class SharedBudget:
    """The budget of all processes that share a Redis; without one, that of this process."""

    def __init__(self, url: str, limits: Limits) -> None:
        self.limits = limits
        self.alone = ProcessBudget(limits)
        self.redis: Any = redis.Redis.from_url(url, socket_connect_timeout=2, socket_timeout=5)
        self._take, self._close = (self.redis.register_script(script) for script in (_TAKE, _CLOSE))

    def wait(self, identity: str, *, is_write: bool) -> float:
        rules = [str(number) for rule in self.limits.rules() for number in rule]
        cost = WRITE_POINTS if is_write else READ_POINTS
        arguments: list[Any] = [int(is_write), cost, self.limits.points_per_minute, *rules]
        try:
            return float(self._take(keys=self._keys(identity), args=arguments))
        except redis.RedisError:
            return self.alone.wait(identity, is_write=is_write)

    def close(self, identity: str, seconds: float) -> None:
        self.alone.close(identity, seconds)
        try:
            self._close(keys=self._keys(identity)[:1], args=[seconds])
        except redis.RedisError:
            return

    @staticmethod
    def _keys(identity: str) -> list[str]:
        return [f"runtrail:github:{{{identity}}}:{part}" for part in ("closed", "writes", "points")]
