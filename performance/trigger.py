"""Begin a workload run: everything is checked before anything is stored."""

from __future__ import annotations

import math
import zlib
from datetime import datetime
from typing import Any

from django.db import transaction

from performance.arrivals import planned_duration
from performance.hosts import NotAllowed, demand_own_host
from performance.models import Component, Workload, WorkloadRun
from performance.reading import Table
from performance.saving import KIND, demand_names, secrets_of
from performance.specification import FaultySpec, LoadSpec, read_spec
from performance.specification_requests import check_headers
from tracking.models import TestRun
from tracking.plan import NotRunnable
from tracking.tracker import LEASE, create_run, note

__all__ = ["FaultySpec", "NotAllowed", "NotRunnable", "adopt_run", "start_workload_run"]


def start_workload_run(
    workload: Workload,
    *,
    triggered_by: str,
    now: datetime,
    component: Component | None = None,
    purpose: str = WorkloadRun.Purpose.PLAIN,
    metadata: dict[str, Any] | None = None,
    seed: int | None = None,
    driver: str = "",
    **fields: Any,
) -> WorkloadRun:
    """Start a run of `workload`, against `component` where one is named; nothing is sent yet.

    With `driver` the caller drives it and holds its lease; without, a worker takes it up.

    Args:
        seed: of arrivals and draws; without one the same for all runs of the workload's version.
        fields: more columns of the run: branch, commit_sha, tree_hash, space.

    Raises:
        NotAllowed: the project has not named the target's host as its own.
        FaultySpec: the workload says what can't be done.
        NotRunnable: it is archived or was never finished.
    """
    spec, plan = _plan(workload, component)
    with transaction.atomic():
        run = create_run(
            workload.definition,
            workload.environment,
            plan,
            now=now,
            driver=driver,
            driver_until=now + LEASE if driver else None,
            triggered_by=triggered_by[:255],
            metadata=metadata or {},
            **fields,
        )
        note(run, "started", f"Started by {triggered_by}: {_in_words(spec, plan)}.", now)
        return _row(run, workload, component, purpose, seed)


def check_workload(workload: Workload, component: Component | None = None) -> None:
    """See whether a run could be started.

    Raises:
        NotAllowed, FaultySpec, NotRunnable: as above.
    """
    _plan(workload, component)


def adopt_run(run: TestRun, *, component: Component | None = None, seed: int | None = None) -> WorkloadRun:
    """Return the workload run of `run`, which another door began; made where it has none yet.

    Raises:
        NotAllowed, FaultySpec, NotRunnable: as above; the run is left as it is.
    """
    found = WorkloadRun.objects.filter(pk=run.pk).first()
    if found is not None:
        return found
    workload = Workload.objects.filter(definition=run.definition_id).first()
    if workload is None:
        raise NotRunnable(f"{run.definition} is no workload.")
    _, plan = _plan(workload, component)
    with transaction.atomic():
        TestRun.objects.filter(pk=run.pk).update(plan={**run.plan, **plan})
        run.plan = {**run.plan, **plan}
        return _row(run, workload, component, WorkloadRun.Purpose.PLAIN, seed)


def _plan(workload: Workload, component: Component | None) -> tuple[LoadSpec, dict[str, Any]]:
    """Return what the run will do, frozen; its secrets are not in it."""
    if workload.is_archived:
        raise NotRunnable(f"The workload {workload} is archived; restore it first.")
    if component is not None and component.workload_id != workload.pk:
        raise NotRunnable(f"{component} is no component of {workload}.")
    spec = read_spec(workload.spec, own_locustfile=bool(workload.locustfile))
    target = (component.target if component else "") or workload.target
    headers = dict(component.headers) if component else {}
    variables = dict(component.variables) if component else {}
    faults: list[str] = []
    check_headers(
        {key: str(value) for key, value in headers.items()}, Table({}, "component", faults), "headers"
    )
    if faults:
        raise FaultySpec(faults)
    demand_names(spec, {*variables, *secrets_of(workload)}, headers)
    demand_own_host(workload.project, target)
    planned = planned_duration(spec)
    joining = 600.0 if spec.workers else 0.0  # seconds in which other machines may join
    # The definition's limit is for waiting for other loads, and for a load of unknown length.
    limit = spec.total_seconds + planned + spec.timeout + joining + workload.definition.timeout
    return spec, {
        "kind": KIND,
        "steps": [],
        "test_type": workload.definition.test_type,
        "definition": workload.definition.name,
        "version": workload.version,
        "service": workload.environment.service,
        "timeout": math.ceil(limit),
        "seconds": spec.warmup + planned + spec.timeout + joining if planned else None,
        "target": target,
        "component": component.name if component else "",
        "headers": headers,
        "variables": variables,
        "locustfile": workload.locustfile,
    }


def _row(
    run: TestRun, workload: Workload, component: Component | None, purpose: str, seed: int | None
) -> WorkloadRun:
    if seed is None:
        seed = zlib.crc32(f"{workload.pk} {workload.version}".encode())
    return WorkloadRun.objects.create(
        run=run,
        workload=workload,
        started_at=run.started_at,
        component=component,
        purpose=purpose,
        version=workload.version,
        generator=workload.generator,
        spec=workload.spec,
        seed=seed,
    )


def _in_words(spec: LoadSpec, plan: dict[str, Any]) -> str:
    long = f"{spec.duration:g} s" if spec.duration else f"{spec.max_requests:,} requests"
    how = f"{spec.arrival.kind} arrivals" if spec.arrival else f"{spec.users} users"
    who = f" ({plan['component']})" if plan["component"] else ""
    return f"{how} for {long} on {plan['target']}{who}"
