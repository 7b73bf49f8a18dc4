"""Workloads as a file: TOML or JSON with a table for each.

target_hosts = ["127.0.0.1:8080"]

[workloads.checkout]
target = "http://127.0.0.1:8080"
users = 10
duration = 30
requests = [{ path = "/cart" }]
"""

from __future__ import annotations

import json
import os
import tomllib
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from access.models import Project
from performance.hosts import read_target
from performance.models import Component, Workload
from performance.reading import Table
from performance.saving import name_host, save_workload
from performance.specification import FaultySpec, read_spec
from performance.specification_requests import check_headers
from tracking.identifiers import environment_name
from tracking.models import Environment
from tracking.plan import NotRunnable

_OWN = (
    "target",
    "environment",
    "generator",
    "description",
    "locustfile",
    "secrets",
    "same_within",
    "components",
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a file asks for."""

    hosts: list[str] = field(default_factory=list)
    workloads: dict[str, dict[str, Any]] = field(default_factory=dict)


def read_file(text: str, *, folder: Path, is_json: bool = False) -> Wanted:
    """Return what a file asks for; relative paths of Locust files count from `folder`.

    Raises:
        FaultySpec: with every fault and its path.
    """
    try:
        data = json.loads(text) if is_json else tomllib.loads(text)
    except (json.JSONDecodeError, tomllib.TOMLDecodeError) as problem:
        raise FaultySpec([f"This is no {'JSON' if is_json else 'TOML'}: {problem}."]) from None
    faults: list[str] = []
    table = Table(data, "", faults)
    hosts = table.items("target_hosts", most=100)
    if not all(isinstance(host, str) for host in hosts):
        table.fault("target_hosts", "must be a list of names")
    found = table.raw("workloads", {})
    if not isinstance(found, dict) or not found:
        table.fault("workloads", "must have at least one table, as in [workloads.checkout]")
        found = {}
    table.end()
    try:
        rows = read_tables(found, folder=folder)
    except FaultySpec as faulty:
        faults += faulty.faults
    if faults:
        raise FaultySpec(faults)
    return Wanted(hosts, rows)


def read_tables(found: Any, *, folder: Path) -> dict[str, dict[str, Any]]:
    """Return the workloads of tables by name.

    Raises:
        FaultySpec: with every fault and its path, which begins with `workloads`.
    """
    faults: list[str] = []
    rows = {
        name: _row(Table(row, f"workloads.{name}", faults), folder, faults)
        for name, row in Table(found, "workloads", faults).data.items()
    }
    if faults:
        raise FaultySpec(faults)
    return rows


def apply_file(
    wanted: Wanted, project: Project, *, generators: list[str], by: str, now: datetime
) -> list[str]:
    """Make the project's workloads as the file says; return what changed, a line each.

    Raises:
        FaultySpec: the caller's transaction must be rolled back.
    """
    changes = [f"+ target host {host}" for host in wanted.hosts if name_host(project, host, by=by)[1]]
    faults: list[str] = []
    for name, row in wanted.workloads.items():
        fields = dict(row)
        components = fields.pop("components")
        environment = Environment.objects.filter(project=project, name=fields.pop("environment")).first()
        if environment is None:
            faults.append(
                f"workloads.{name}.environment: {project} has no environment {row['environment']!r}."
            )
            continue
        fields |= {"environment": environment, "generators": generators, "is_from_shell": True}
        before = Workload.objects.filter(project=project, name=name).first()
        try:
            workload, is_new = save_workload(project, name, now=now, **fields)
        except FaultySpec as faulty:
            faults += [f"workloads.{name}.{fault}" for fault in faulty.faults]
            continue
        except NotRunnable as refusal:
            faults.append(f"workloads.{name}: {refusal}")
            continue
        changes += [f"+ workload {name}"] if is_new else _differences(before, workload)
        changes += _components(workload, components)
    if faults:
        raise FaultySpec(faults)
    return changes


def _differences(before: Workload | None, after: Workload) -> list[str]:
    """What changed of a workload, a line each; of secrets and code only that they did."""
    if before is None:
        return []
    old, new = _shown(before), _shown(after)
    told = [
        f"~ workload {after.name}: {key} {old.get(key)!r} → {new.get(key)!r}"
        for key in {**old, **new}
        if old.get(key) != new.get(key)
    ]
    told += [
        f"~ workload {after.name}: {key}"
        for key in ("secrets", "locustfile")
        if getattr(before, key) != getattr(after, key)
    ]
    if before.version != after.version:
        told.append(f"~ workload {after.name}: version {after.version}")
    return told


def _shown(workload: Workload) -> dict[str, Any]:
    plain = ("target", "generator", "description", "same_within", "is_archived")
    return {
        **{name: getattr(workload, name) for name in plain},
        "environment": workload.environment.name,
        **workload.spec,
    }


def _row(table: Table, folder: Path, faults: list[str]) -> dict[str, Any]:
    own = table.text("locustfile", "", most=4000)
    row: dict[str, Any] = {
        "target": table.text("target", "", most=500),
        "environment": environment_name(table.text("environment", "local", most=50)),
        "generator": table.text("generator", "locust" if own else "open_loop", most=20),
        "description": table.text("description", "", most=5000),
        "same_within": table.number("same_within", 0.05, 0, 10),
        "locustfile": _locustfile(table, folder, own) if own else "",
        "components": _read_components(table),
    }
    if "secrets" in table.data:
        row["secrets"] = _secrets(table)
    row["spec"] = {key: value for key, value in table.data.items() if key not in _OWN}
    try:
        read_spec(row["spec"], own_locustfile=bool(own))
    except FaultySpec as faulty:
        faults += [f"{table.path}.{fault}" for fault in faulty.faults]
    return row


def _locustfile(table: Table, folder: Path, name: str) -> str:
    try:
        return (folder / name).read_text()
    except (OSError, UnicodeDecodeError) as problem:
        table.fault("locustfile", f"{name} can't be read: {getattr(problem, 'strerror', problem)}")
        return ""


def _secrets(table: Table) -> dict[str, str]:
    """Secrets are named by the variable that holds them, so that no file has them."""
    found = {}
    for name, variable in table.texts("secrets").items():
        if not variable.startswith("$"):
            table.fault(f"secrets.{name}", 'must name a variable of the environment, as in "$SHOP_TOKEN"')
        elif variable[1:] not in os.environ:
            table.fault(f"secrets.{name}", f"the variable {variable[1:]} is not set here")
        else:
            found[name] = os.environ[variable[1:]]
    return found


def _read_components(table: Table) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    part = table.table("components")
    for name in part.data if part else ():
        one = part.table(name) if part else None
        if one is None:
            continue
        found[name] = {
            "target": one.text("target", "", most=500),
            "headers": one.texts("headers"),
            "variables": one.texts("variables"),
            "price_per_hour": one.number("price_per_hour", None, 0, 1_000_000),
            "currency": one.text("currency", "USD", most=3),
        }
        one.end()
        check_headers(found[name]["headers"], one, "headers")
        if found[name]["target"]:
            try:
                read_target(found[name]["target"])
            except FaultySpec as faulty:
                one.faults += [f"{one.path}.{fault}" for fault in faulty.faults]
    return found


def _components(workload: Workload, wanted: dict[str, dict[str, Any]]) -> list[str]:
    changes = []
    for name, fields in wanted.items():
        before = Component.objects.filter(workload=workload, name=name).values(*fields).first()
        Component.objects.update_or_create(workload=workload, name=name, defaults=fields)
        if before is None:
            changes.append(f"+ component {workload.name}/{name}")
        elif before != fields:
            changes.append(f"~ component {workload.name}/{name}")
    return changes
