"""What a workload may say: read into frozen values, or refused with every fault and its path."""

from __future__ import annotations

from typing import Any

from performance.reading import Table
from performance.specification_parts import read_table
from performance.specified import (
    Abort,
    Arrival,
    Auth,
    Checks,
    Data,
    FaultySpec,
    Limits,
    LoadSpec,
    Request,
)

__all__ = [
    "Abort",
    "Arrival",
    "Auth",
    "Checks",
    "Data",
    "FaultySpec",
    "Limits",
    "LoadSpec",
    "Request",
    "read_spec",
    "spec_of",
]


def read_spec(data: Any, *, own_locustfile: bool = False) -> LoadSpec:
    """Return the load that `data` (JSON, snake_case) describes.

    With `own_locustfile` a Locust file of the team's own says what is sent, so `requests` must be missing.

    Raises:
        FaultySpec: with every fault, each with its path.
    """
    faults: list[str] = []
    made = read_table(Table(data, "", faults), own_locustfile=own_locustfile)
    if faults:
        raise FaultySpec(faults)
    return made


def spec_of(workload_run: Any) -> LoadSpec:
    """Return the load that a run was given, as it was frozen at its start."""
    return read_spec(workload_run.spec, own_locustfile=bool(workload_run.run.plan.get("locustfile")))
