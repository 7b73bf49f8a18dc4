"""What every generator is told, and how it says what it did.

`python -m performance.generators.NAME PLAN FOLDER`: PLAN is a JSON file without secrets, which come as a
JSON object on standard input and stand in no argument, variable or file.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from performance.specification import read_spec
from performance.specified import LoadSpec

# What a run says of coordinated omission.
AVOIDED = "avoided: each response time counts from the time at which its request was meant to be sent"
NOT_AVOIDED = (
    "not avoided: a slow answer keeps its user from sending, so a stall counts once for each user and not "
    "once for each request that would have met it; give an arrival to measure those"
)


NO_ROOM = 28  # exit code of a generator that could not even write how it ended


@dataclass(frozen=True, slots=True)
class Plan:
    """One load as a generator gets it."""

    spec: LoadSpec
    target: str
    seed: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    locustfile: str = ""
    hosts: list[str] = field(default_factory=list)  # the project's own
    ports: tuple[int, int] = (5557, 5558)  # of Locust, and of machines that join
    run: str = ""  # its public name, for names that no other run has

    @property
    def address(self) -> tuple[str, str, int]:
        """Scheme, host and port of the target."""
        parts = urlsplit(self.target)
        return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


@dataclass(slots=True)
class End:
    """How a load ended: `done`, `stopped` (asked to), `aborted` (the target on its knees) or `error`."""

    reason: str = "done"
    text: str = ""
    generator_limit: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


def read_plan(path: Path, stdin: IO[str] | None = None) -> Plan:
    """Return the plan in `path` with the secrets that `stdin` brings."""
    told = json.loads(path.read_text())
    secrets = json.loads(stdin.read() or "{}") if stdin is not None else {}
    return Plan(
        spec=read_spec(told["spec"], own_locustfile=bool(told.get("locustfile"))),
        target=told["target"],
        seed=told.get("seed", 0),
        headers=told.get("headers") or {},
        variables=told.get("variables") or {},
        secrets=secrets,
        locustfile=told.get("locustfile") or "",
        hosts=told.get("hosts") or [],
        ports=tuple(told.get("ports") or (5557, 5558)),
        run=told.get("run") or "",
    )


def secrets_input() -> IO[str] | None:
    """Standard input, unless a person sits there."""
    return None if sys.stdin is None or sys.stdin.isatty() else sys.stdin


def write_json(path: Path, content: Any) -> None:
    """Write a file whole or not at all."""
    draft = path.with_name(f"{path.name}.draft")
    draft.write_text(json.dumps(content))
    draft.replace(path)


def write_end(folder: Path, end: End) -> None:
    write_json(folder / "end.json", asdict(end))


def end_with(folder: Path, end: End) -> int:
    """Write how a load ended; return the exit code of its process."""
    try:
        write_end(folder, end)
    except OSError as problem:
        sys.stderr.write(f"{no_room(problem)}\n")
        return NO_ROOM
    return 0


def no_room(problem: OSError) -> str:
    """What a load ends with whose samples have no place any more."""
    why = problem.strerror or type(problem).__name__
    return f"What was measured could not be written any more: {why}. Make room on the disk and run it again."


def how_it_ended(code: int) -> str:
    """The exit code of a generator's process in words."""
    if code == NO_ROOM:
        return "it could not write any more; is the disk full?"
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def machine() -> dict[str, Any]:
    """What the generator ran on."""
    return {
        "machine": platform.node(),
        "cores": os.cpu_count() or 1,
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
    }
