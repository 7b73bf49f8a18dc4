"""Drive workload runs with this installation's settings."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.files.storage import storages
from django.utils import timezone

from performance import drive
from performance.generating import in_own_session
from performance.models import WorkloadRun
from tracking.drive import driver_name
from tracking.models import TestRun


def place() -> drive.Place:
    """Where loads are driven on this machine, and what looks at it meanwhile."""
    sampler = (
        "performance.sources.host",
        "{folder}",
        "--generator",
        "{generator}",
        "--plan",
        "{folder}/plan.json",
    )
    return drive.Place(settings.DATA / "workloads", storages["artifacts"], beside=[sampler])


def drive_here(
    run_pk: str | UUID,
    *,
    driver: str = "",
    say: Callable[[dict[str, Any]], None] | None = None,
    stop: Callable[[], str] = lambda: "",
) -> TestRun:
    """Drive a run in this process to its end."""
    workload_run: WorkloadRun = WorkloadRun.objects.for_driving().get(run__pk=run_pk)
    return drive.drive_workload_run(
        workload_run,
        generator=settings.LOAD_GENERATORS[workload_run.generator],
        place=place(),
        driver=driver or driver_name("workload"),
        clock=timezone.now,
        say=say,
        stop=stop,
    )


def drive_apart(run_pk: str | UUID) -> None:
    """Drive a run in a process of its own."""
    run_apart("workload", "drive", str(run_pk))


def run_apart(*command: str) -> None:
    """Run a command of ours as a process that ends with this one: a load would keep a worker for long."""
    logs = settings.DATA / "logs"
    logs.mkdir(exist_ok=True)
    with (logs / "loads.log").open("ab") as log:
        subprocess.Popen(
            [sys.executable, "manage.py", *command],
            cwd=settings.BASE_DIR,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=in_own_session(),
        )
