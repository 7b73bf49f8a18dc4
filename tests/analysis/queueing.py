"""How long one server makes its callers wait, by theory: the truths that measurements are held against.

Requests come at random (Poisson), one server takes them in their order.  With exponential service times that
is M/M/1, with a fixed one M/D/1.  Rates are per second, times in seconds.

Sources: L. Kleinrock, Queueing Systems I, chapters 3 and 5 (means and M/M/1); G. J. Franx, "A simple solution
for the M/D/c waiting time distribution", Operations Research Letters 29 (2001) 221-229.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class _Server(ABC):
    """`arrivals` a second meet one server that needs `service` seconds for each, in the mean.

    Raises:
        ValueError: a number is not above zero, or the server can't keep up (arrivals * service >= 1).
    """

    arrivals: float
    service: float

    def __post_init__(self) -> None:
        if self.arrivals <= 0 or self.service <= 0:
            raise ValueError("arrivals and service time must be above zero")
        if self.utilization >= 1:
            raise ValueError(
                f"the queue grows without end: utilization {self.utilization:.2f} is not below 1"
            )

    @property
    def utilization(self) -> float:
        return self.arrivals * self.service

    @property
    @abstractmethod
    def mean_wait(self) -> float:
        """Seconds in the queue, in the mean."""

    @property
    def mean_response(self) -> float:
        return self.mean_wait + self.service

    @abstractmethod
    def share_waiting_at_most(self, seconds: float) -> float:
        """Share of requests, 0 to 1, that wait no longer than `seconds`."""

    def wait_quantile(self, q: float) -> float:
        """Return the wait that the share `q` of requests stays below; 0 for those who find it idle."""
        if not 0 <= q < 1:
            raise ValueError(f"q must lie in [0, 1), not {q}")
        if q <= 1 - self.utilization:
            return 0.0
        low, high = 0.0, self.service
        while self.share_waiting_at_most(high) < q:
            low, high = high, 2 * high
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if self.share_waiting_at_most(middle) < q else (low, middle)
        return high


class MM1(_Server):
    """One server, random arrivals, exponential service times."""

    __slots__ = ()

    @property
    def mean_wait(self) -> float:
        return self.utilization * self.service / (1 - self.utilization)

    def share_waiting_at_most(self, seconds: float) -> float:
        if seconds < 0:
            return 0.0
        return 1 - self.utilization * math.exp(-seconds * (1 - self.utilization) / self.service)

    def response_quantile(self, q: float) -> float:
        if not 0 <= q < 1:
            raise ValueError(f"q must lie in [0, 1), not {q}")
        return -math.log1p(-q) * self.service / (1 - self.utilization)


class MD1(_Server):
    """One server, random arrivals, each served in the same time."""

    __slots__ = ()

    @property
    def mean_wait(self) -> float:
        return self.utilization * self.service / (2 * (1 - self.utilization))

    def share_waiting_at_most(self, seconds: float) -> float:
        if seconds < 0:
            return 0.0
        whole = math.floor(seconds / self.service) + 1
        rest = self.arrivals * (whole * self.service - seconds)  # expected arrivals to the next full turn
        reached = np.cumsum(self._shares_of_lengths(whole + 1))  # [n + 1]: n waiting or fewer
        logs = (
            np.arange(whole) * math.log(rest) - rest
            if rest > 0
            else np.where(np.arange(whole) == 0, 0, -np.inf)
        )
        came = np.exp(logs - np.array([math.lgamma(number + 1) for number in range(whole)]))
        return float(min((came * reached[whole - np.arange(whole)]).sum(), 1.0))

    def response_quantile(self, q: float) -> float:
        return self.wait_quantile(q) + self.service

    def _shares_of_lengths(self, count: int) -> np.ndarray:
        """Shares of time with 0, 1, … requests at the server (Ramaswami: no term is negative)."""
        load = self.utilization
        ways = np.array([math.exp(k * math.log(load) - load - math.lgamma(k + 1)) for k in range(count + 60)])
        above = ways[::-1].cumsum()[::-1][1:]  # [k]: the chance of more than k arrivals in one service
        shares = np.zeros(count)
        shares[0] = 1 - load
        for length in range(1, count):
            earlier = shares[1:length] @ above[length - 1 : 0 : -1]
            shares[length] = (shares[0] * above[length - 1] + earlier) / ways[0]
        return shares
