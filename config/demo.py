"""The demo: a project whose profiles really run on this machine, and a small shop to put load on."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from access.models import Project
from config.first_start import make_project
from performance.models import Workload
from performance.saving import name_host, save_workload
from tracking import tracker
from tracking.models import Environment, Step, TestDefinition, TestRun

SUITE = ["python", "-m", "pytest", "-q", "-c", "demo/suite/pytest.ini", "demo/suite"]
BUILD = ["python", "demo/build_job.py", "--workload"]
_BROWSING: list[dict[str, Any]] = [
    {"name": "catalog", "path": "/catalog", "weight": 4, "checks": {"contains": "Catalog"}},
    {"name": "product", "path": "/product/7", "weight": 4},
    {"name": "cart", "method": "POST", "path": "/cart/{{n}}", "weight": 1},
    {"name": "checkout", "method": "POST", "path": "/checkout/{{n}}", "weight": 1},
]
WORKLOADS: list[tuple[str, str, dict[str, Any]]] = [
    (
        "browse",
        "People look at the shop and some buy: 40 requests per second.",
        {
            "requests": _BROWSING,
            "arrival": {"kind": "constant", "rate": 40, "spacing": "poisson"},
            "warmup": 2,
            "duration": 20,
        },
    ),
    (
        "checkout",
        "Everybody buys: 30 requests per second.",
        {
            "requests": _BROWSING[-1:],
            "arrival": {"kind": "constant", "rate": 30, "spacing": "poisson"},
            "warmup": 2,
            "duration": 20,
        },
    ),
    (
        "steps",
        "More and more people come, from 20 to 160 requests per second: where is the knee?",
        {
            "requests": _BROWSING,
            "arrival": {
                "kind": "steps",
                "rates": [20, 40, 80, 120, 160],
                "step_duration": 6,
                "spacing": "poisson",
            },
            "warmup": 2,
            "duration": 30,
        },
    ),
]


def make_demo() -> Project:
    """Return the project `demo` with its environments and profiles; what is there already stays."""
    project = make_project("demo", "Demo")
    Environment.objects.get_or_create(project=project, name="aws-ecs", defaults={"kind": "staging"})
    _definition(
        project,
        "performance",
        "Thirty-four builds: compile, hash, sort and write.",
        [{"workflow": "build_job.yml", "command": [*BUILD, "standard"], "count": 34, "spacing": 0.05}],
    )
    _definition(
        project, "suite", "A small real pytest suite.", [{"command": SUITE}], kind=TestDefinition.SUITE
    )
    make_workloads(project, target_port() or free_port())
    return project


def make_workloads(project: Project, port: int) -> None:
    """Give the demo its loads on the shop of `demo.target`, which listens on `port` of this machine."""
    name_host(project, "127.0.0.1", by="demo", note="The demo's own shop.")
    environment = project.environments.get(name="local")
    for name, description, spec in WORKLOADS:
        if not project.workloads.filter(name=name).exists():
            save_workload(
                project,
                name,
                target=address(port),
                spec=spec,
                environment=environment,
                generators=list(settings.LOAD_GENERATORS),
                now=timezone.now(),
                description=description,
            )
    _port_file().write_text(str(port))


def target_port() -> int:
    """The port for the demo's shop, 0 where there is no demo; its loads are told of a new one."""
    try:
        port = int(_port_file().read_text())
    except (OSError, ValueError):
        return 0
    mine = Workload.objects.filter(project__slug="demo", target=address(port))
    if not mine.exists():
        return 0
    if not is_free(port):
        port = free_port()
        mine.update(target=address(port))
        _port_file().write_text(str(port))
    return port


def address(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _port_file() -> Path:
    return settings.DATA / "demo_target_port"


def start_demo(project: Project) -> TestRun:
    """Start the first runs, so that the first pages show tests and a live run; return the newest."""
    for name in ("suite", "performance"):
        run = tracker.start_run(
            project.definitions.get(name=name),
            project.environments.get(name="local"),
            triggered_by="first start",
            now=timezone.now(),
        )
    return run


def _definition(
    project: Project, name: str, description: str, steps: list[dict], kind: str = TestDefinition.WORKFLOWS
) -> None:
    definition, is_new = TestDefinition.objects.get_or_create(
        project=project,
        name=name,
        defaults={
            "test_type": name,
            "kind": kind,
            "description": description,
            "folder": str(settings.BASE_DIR),
            "is_from_shell": True,
        },
    )
    if not is_new:
        return
    for position, step in enumerate(steps, start=1):
        inputs = {"workload_type": "standard"} if "workflow" in step else {}
        Step.objects.create(definition=definition, position=position, inputs=inputs, **step)
