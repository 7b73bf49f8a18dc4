"""What a workload may say: read into frozen values, or refused with every fault and its path.

Knows neither Django nor the world, because the generators read it too.  Seconds, 1/s, bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

ARRIVALS = ("constant", "ramp", "steps", "spikes")
SPACINGS = ("even", "poisson")
AUTH_KINDS = ("none", "bearer", "basic", "header")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
FASTEST = 200_000.0  # 1/s; no generator here reaches it, and a slip of the pen does
LONGEST = 86_400.0  # seconds
MOST_REQUESTS = 50_000_000  # planned for one run: 1.6 GB of raw samples
BUILT_IN_NAMES = frozenset({"n", "file", "file_content", "user_number"})


class FaultySpec(Exception):
    """It can't be taken; `faults` has a line for each reason, beginning with its path."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Checks:
    """What an answer must be; `status` empty: anything from 200 to 399."""

    status: tuple[int, ...] = ()
    contains: str = ""
    json: dict[str, Any] = field(default_factory=dict)
    max_latency: float | None = None
    max_bytes: int | None = None

    @property
    def need_body(self) -> bool:
        """Whether the body must be kept until it was looked at."""
        return bool(self.contains or self.json)


@dataclass(frozen=True, slots=True)
class Request:
    """One kind of request; `{{names}}` in path, headers and body are filled in for each one sent."""

    name: str
    method: str = "GET"
    path: str = "/"
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    body_is_json: bool = False
    weight: float = 1.0
    checks: Checks = Checks()


@dataclass(frozen=True, slots=True)
class Arrival:
    """When requests are meant to be sent, whatever became of those before (open loop)."""

    kind: str
    rate: float = 0.0
    to_rate: float = 0.0
    rates: tuple[float, ...] = ()
    step_duration: float = 0.0
    spike_rate: float = 0.0
    spike_every: float = 0.0
    spike_duration: float = 0.0
    spacing: str = "even"

    @property
    def first_rate(self) -> float:
        return self.rates[0] if self.kind == "steps" else self.rate


@dataclass(frozen=True, slots=True)
class Auth:
    """How requests say who sends them; `secret` is a name in the workload's secrets."""

    kind: str = "none"
    header: str = ""
    secret: str = ""


@dataclass(frozen=True, slots=True)
class Data:
    """Files made for the load, or rows whose keys are `{{names}}`."""

    files: int = 0
    size: int = 0
    unique_names: bool = True
    rows: tuple[dict[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Abort:
    """When the target is on its knees, so that the load ends by itself."""

    error_share: float | None = 0.5
    p95: float | None = None
    after: float = 5.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run must keep to pass."""

    error_share: float | None = 0.01
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    throughput: float | None = None


@dataclass(frozen=True, slots=True)
class LoadSpec:
    """One load, read and checked.  `duration` is measured time: the warm-up comes before it."""

    requests: tuple[Request, ...] = ()
    scenario: bool = False
    arrival: Arrival | None = None
    users: int = 0
    think_time: tuple[float, float] = (0.0, 0.0)
    duration: float = 0.0
    max_requests: int | None = None
    warmup: float = 0.0
    timeout: float = 10.0
    connections: int = 64
    verify_tls: bool = True
    auth: Auth = Auth()
    data: Data = Data()
    abort: Abort = Abort()
    limits: Limits = Limits()
    processes: int = 1
    workers: tuple[str, ...] = ()

    @property
    def total_seconds(self) -> float:
        """Warm-up and measured time."""
        return self.warmup + self.duration
