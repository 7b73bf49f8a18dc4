"""Workloads and runs for tests; runs are counted by the real `summarize`, from samples made up here.

workload = make_workload()
run = make_workload_run(workload, latencies=[0.01] * 500, commit_sha="a" * 40)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.core.files.storage import storages

from performance.collecting import keep_samples
from performance.models import Component, TargetHost, Workload, WorkloadRun
from performance.samples import CHECK_FAILED, COMPONENT, NOT_CONNECTED, SAMPLE, WARM_UP, Samples
from performance.saving import save_workload
from performance.specification import read_spec
from performance.summarize import summarize
from performance.trigger import start_workload_run
from tests.factories import NINE, make_environment, make_project
from tracking.lifecycle import close_run

TARGET = "http://127.0.0.1:8080"
GENERATORS = ["open_loop", "locust"]
SPEC: dict[str, Any] = {
    "requests": [{"name": "cart", "path": "/cart"}],
    "arrival": {"kind": "constant", "rate": 50},
    "duration": 10,
}


def make_workload(
    name: str = "checkout",
    *,
    project: Any = None,
    spec: dict[str, Any] | None = None,
    target: str = TARGET,
    hosts: Sequence[str] = ("127.0.0.1", "localhost"),
    **fields: Any,
) -> Workload:
    """Return a workload of 50 requests a second on loopback, which the project has named as its own."""
    project = project or make_project()
    for host in hosts:
        TargetHost.objects.get_or_create(project=project, host=host)
    return save_workload(
        project,
        name,
        target=target,
        spec=SPEC if spec is None else spec,
        environment=fields.pop("environment", None) or make_environment("local", project=project),
        generators=GENERATORS,
        now=NINE,
        is_from_shell=True,
        **fields,
    )[0]


def make_component(name: str = "two", *, workload: Workload, **fields: Any) -> Component:
    return Component.objects.create(workload=workload, name=name, **fields)


def make_samples(
    latencies: Sequence[float],
    *,
    intended: Sequence[float] | None = None,
    rate: float = 50.0,
    names: Sequence[str] = ("cart",),
    requests: Sequence[int] | None = None,
    services: Sequence[float] | None = None,
    statuses: Sequence[int] | int = 200,
    failed: Sequence[bool] | None = None,
    warmup: float = 0.0,
    components: Mapping[str, Sequence[float] | float] | None = None,
) -> Samples:
    """Return samples of requests that were meant to be sent `rate` a second (or at `intended`).

    Args:
        latencies: (n,) seconds from the intended time; `services` from the send, the same where left out.
        requests: (n,) numbers in `names`; all the first one where left out.
        failed: (n,) which failed their checks; a status of 0 is a lost connection.
        warmup: what was meant for before that second is warm-up.
        components: seconds of each component in every request: (n,) or one for all.
    """
    n = len(latencies)
    rows = np.zeros(n, SAMPLE)
    rows["intended"] = np.arange(n) / rate if intended is None else intended
    rows["latency"] = latencies
    rows["service"] = latencies if services is None else services
    rows["sent"] = rows["intended"] + rows["latency"] - rows["service"]
    rows["request"] = 0 if requests is None else requests
    rows["status"] = statuses
    rows["bytes"] = 1000
    if failed is not None:
        rows["flags"] |= np.where(failed, CHECK_FAILED, 0).astype("u1")
    rows["flags"] |= np.where(rows["status"] == 0, NOT_CONNECTED, 0).astype("u1")
    rows["flags"] |= np.where(rows["intended"] < warmup, WARM_UP, 0).astype("u1")
    return Samples(list(names), list(components or {}), rows, _parts(n, components or {}))


def _parts(n: int, components: Mapping[str, Sequence[float] | float]) -> np.ndarray:
    parts = np.zeros(n * len(components), COMPONENT)
    for number, seconds in enumerate(components.values()):
        place = slice(number, None, len(components))
        parts["sample"][place] = np.arange(n)
        parts["component"][place] = number
        parts["duration"][place] = seconds
    return parts


def make_workload_run(
    workload: Workload | None = None,
    *,
    latencies: Sequence[float] | None = None,
    samples: Samples | None = None,
    started_at: datetime = NINE,
    status: str = "passed",
    seconds: float | None = None,
    generator_limit: str = "",
    stopped_early: str = "",
    keep: bool = True,
    **fields: Any,
) -> WorkloadRun:
    """Return a run that has ended, with figures, series and (with `keep`) its samples in the storage.

    Without latencies it has 500, log-normal around 10 ms, drawn by the run's place in the workload's series.
    With status="running" it has only begun.  `fields` go to `start_workload_run`.
    """
    workload = workload or make_workload()
    place = workload.runs.count()
    run = start_workload_run(workload, triggered_by="ada", now=started_at, **fields)
    if status == "running":
        return run
    if samples is None:
        if latencies is None:
            latencies = 0.01 * np.random.default_rng(place).lognormal(0, 0.2, 500)
        rate = (workload.spec.get("arrival") or {}).get("rate") or 50.0
        warmup = read_spec(workload.spec, own_locustfile=bool(workload.locustfile)).warmup
        samples = make_samples(latencies, rate=rate, warmup=warmup)
    rows = samples.rows
    long = seconds if seconds is not None else float((rows["intended"] + rows["latency"]).max())
    run.load_started_at, run.load_ended_at = started_at, started_at + timedelta(seconds=long)
    run.generator_limit, run.stopped_early = generator_limit, stopped_early
    run.generator_facts = {"machine": "host-1", "cores": 2, "cpu": 0.1, "loop": "open"}
    run.save()
    if keep:
        keep_samples(run, samples, storages["artifacts"])
    summarize(run, samples, now=run.load_ended_at)
    close_run(run.run, status, now=run.load_ended_at)
    return run
