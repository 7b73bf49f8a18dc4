"""Runs of a workload with figures that a test makes up, as if they had been measured."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from performance.models import Component, Metric, Workload, WorkloadRun
from tests.factories import NINE, make_definition, make_environment, make_project
from tracking.models import TestDefinition, TestRun

HOUR = timedelta(hours=1)
SPEC = {
    "requests": [{"name": "cart", "method": "GET", "path": "/cart"}],
    "arrival": {"kind": "constant", "rate": 50},
    "duration": 2,
}


def a_workload(name: str = "checkout", **fields: Any) -> Workload:
    project = fields.pop("project", None) or make_project("shop")
    definition = make_definition(f"workload-{name}", project=project, steps=[], test_type="workload")
    TestDefinition.objects.filter(pk=definition.pk).update(kind="workload")
    return Workload.objects.create(
        **{
            "definition": definition,
            "project": project,
            "name": name,
            "environment": make_environment("local", project=project),
            "target": "http://127.0.0.1:8080",
            "spec": SPEC,
            **fields,
        }
    )


def a_component(workload: Workload, name: str, **fields: Any) -> Component:
    return Component.objects.create(workload=workload, name=name, **fields)


def a_run(
    workload: Workload,
    p95: float | None = 0.2,
    *,
    number: int = 0,
    component: Component | None = None,
    branch: str = "main",
    commit_sha: str = "",
    metadata: dict[str, Any] | None = None,
    status: str = "passed",
    errors: float = 0.0,
    p50: float | None = None,
    requests: dict[str, float] | None = None,
    **fields: Any,
) -> WorkloadRun:
    """A run whose latency has that p95 (seconds), the `number`-th hour after nine; None: nothing measured.

    `requests` maps a request's name to the p95 of it alone.
    """
    started = NINE + number * HOUR
    run = _test_run(workload, started, status, branch=branch, commit_sha=commit_sha, metadata=metadata or {})
    is_whole = p95 is not None and status != "running"
    made = WorkloadRun.objects.create(
        **{
            "run": run,
            "workload": workload,
            "started_at": started,
            "component": component,
            "version": workload.version,
            "generator": "open_loop",
            "requests": 1000,
            "summarized_at": started + timedelta(seconds=31) if is_whole else None,
            **fields,
        }
    )
    if is_whole:
        Metric.objects.bulk_create(_metrics(made, p95, p50, errors, requests or {}))
    return made


def _test_run(workload: Workload, started: Any, status: str, **fields: Any) -> TestRun:
    return TestRun.objects.create(
        test_run_id=f"workload_{started:%Y%m%d_%H%M%S}_{uuid.uuid4().hex[:6]}",
        project=workload.project,
        definition=workload.definition,
        environment=workload.environment,
        status=status,
        started_at=started,
        completed_at=None if status == "running" else started + timedelta(seconds=30),
        plan={"kind": "workload", "test_type": "workload", "steps": [], "timeout": 600, "service": "local"},
        **fields,
    )


def _metrics(
    run: WorkloadRun, p95: float, p50: float | None, errors: float, requests: dict[str, float]
) -> Any:
    median = p95 / 4 if p50 is None else p50
    for name, own in {"": p95, **requests}.items():
        yield Metric(
            run=run, name="latency", request=name, unit="s", n=1000,
            p50=median if not name else own / 4, p95=own, p99=own * 1.5,
        )  # fmt: skip
    yield Metric(run=run, name="throughput", unit="1/s", n=1000, value=50.0, less_is_better=False)
    yield Metric(run=run, name="error_share", unit="share", n=1000, value=errors)
