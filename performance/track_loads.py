"""The loads that a track puts on its target: one of the project's own, or one of a single request."""

from __future__ import annotations

from datetime import datetime

from access.models import Project
from performance.hosts import demand_own_host
from performance.models import Workload
from performance.saving import save_workload
from tracking.models import Environment
from tracking.plan import NotRunnable

NAME, STEPS = "track", "-steps"
SECONDS, RATE = 8.0, 50.0  # of each load, and requests in a second


def steps_of(workload: Workload) -> Workload | None:
    """Return the same load in rising steps, `NAME-steps`, where the project has it."""
    rows = Workload.objects.of(workload.project).in_use().with_all()
    return rows.filter(name=f"{workload.name}{STEPS}").first()


def load_of_target(
    project: Project, target: str, *, seconds: float, rate: float, generators: list[str], now: datetime
) -> Workload:
    """Return a load of one request, `/`, on a target that has no workload of its own; stored with its steps.

    Args:
        seconds: length of the load.
        rate: requests in a second; the steps go from half of it to twice as much.

    Raises:
        NotAllowed, FaultySpec, NotRunnable: nothing was stored.
    """
    demand_own_host(project, target)
    environment = Environment.objects.in_project(project).filter(name="local").first()
    if environment is None:
        raise NotRunnable(f"{project} has no environment `local`; make it first.")
    step = max(seconds / 2, 1.0)
    rising = {"kind": "steps", "rates": [rate / 2, rate, 2 * rate], "step_duration": step}
    loads = {NAME: ({"kind": "constant", "rate": rate}, seconds), f"{NAME}{STEPS}": (rising, 3 * step)}
    saved = [
        save_workload(
            project,
            name,
            target=target,
            spec={
                "requests": [{"name": "page", "path": "/"}],
                "arrival": arrival,
                "duration": length,
                "warmup": 0.5,
            },
            environment=environment,
            generators=generators,
            now=now,
        )[0]
        for name, (arrival, length) in loads.items()
    ]
    return saved[0]
