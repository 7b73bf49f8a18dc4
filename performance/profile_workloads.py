"""The workloads of a `runtrail.toml`: the same tables as in a file of `workload load`, without any host.

Which hosts are a project's own is decided by a person (docs/decisions/0043): a file that a pull request
changes must not lead load to somebody else.
"""

from __future__ import annotations

import re
import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any

from access.models import Project
from performance.hosts import NotAllowed, demand_own_host
from performance.models import Workload
from performance.specification import FaultySpec
from performance.workload_file import Wanted, apply_file, read_tables
from tracking.plan import NotRunnable
from tracking.profile_file import FaultyProfile
from tracking.profile_lines import line_finder

_ITS_HOSTS = (
    "can't be in this file, because it would decide where load goes; a person does: "
    "`workload allow HOST --project SLUG`"
)
# Tables of the file that `tracking.profile_file` does not know; or why they can't be there.
TABLES = {"workloads": "", "target_hosts": _ITS_HOSTS, "hosts": _ITS_HOSTS}
_PART = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def read_workloads(text: str, *, folder: Path) -> Wanted:
    """Return the workloads that a `runtrail.toml` asks for; none where it has no such table.

    Raises:
        FaultyProfile: with every fault of theirs, its line and its key.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return Wanted()  # `read_profile` tells of it
    try:
        return Wanted([], read_tables(data.get("workloads", {}), folder=folder))
    except FaultySpec as faulty:
        raise FaultyProfile(_with_lines(text, faulty.faults)) from None


def apply_workloads(
    wanted: Wanted, project: Project, text: str, *, generators: list[str], by: str, now: datetime
) -> list[str]:
    """Make the project's workloads as the file says; return what changed, a line each.

    What the file does not name stays as it is.  Applied twice, it changes nothing.

    Raises:
        FaultyProfile: the caller's transaction must be rolled back.
    """
    try:
        return apply_file(wanted, project, generators=generators, by=by, now=now)
    except FaultySpec as faulty:
        raise FaultyProfile(_with_lines(text, faulty.faults)) from None
    except NotRunnable as problem:
        raise FaultyProfile([str(problem)]) from None


def foreign_targets(wanted: Wanted, project: Project) -> list[str]:
    """Return what a person has to do before these workloads can be started, a line each."""
    told = {}
    workloads = Workload.objects.of(project).filter(name__in=wanted.workloads).prefetch_related("components")
    for workload in workloads:
        for target in {workload.target, *(one.target for one in workload.components.all())} - {""}:
            try:
                demand_own_host(project, target)
            except NotAllowed as refusal:
                told[target] = f"{workload} can't be started yet: {refusal}"
    return list(told.values())


def _with_lines(text: str, faults: list[str]) -> list[str]:
    line_of = line_finder(text)
    told = []
    for fault in faults:
        where, _, why = fault.partition(": ")
        path: tuple[Any, ...] = tuple(int(at) if at else name for at, name in _PART.findall(where))
        told.append((line_of(path), f"{where} {why}".rstrip(".")))
    return [f"line {line}: {fault}" for line, fault in sorted(told)]
