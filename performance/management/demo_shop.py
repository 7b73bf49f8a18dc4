"""The demo's shop as a target: started where it is not running, with two components to tell apart."""

from __future__ import annotations

import contextlib
import select
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.utils import timezone

from access.models import Project
from performance.models import Component, Workload
from performance.saving import name_host, save_workload
from performance.scene import Improvement
from tracking.environments import give_environments
from tracking.models import Environment

NAME = "demo-shop"
PORTS = {"indexed": 8651, "unindexed": 8652}
SLOWER = 0.008  # seconds that the shop's database takes longer where it has no index
PRICES = {"indexed": 0.12, "unindexed": 0.10}  # USD an hour
BEGINS = 15.0  # seconds until a shop must be open
IMPROVEMENT = Improvement(
    "index the shop's tables", "The database finds rows by an index now.", "unindexed", "indexed"
)
REQUESTS = [
    {"name": "catalog", "path": "/catalog", "weight": 3},
    {"name": "product", "path": "/product/7", "weight": 4},
    {"name": "cart", "path": "/cart/{{user}}", "weight": 2},
    {"name": "checkout", "method": "POST", "path": "/checkout/{{user}}", "weight": 1},
]
USERS = {"rows": [{"user": name} for name in ("ada", "ben", "cleo", "dan")]}


class NotOpen(Exception):
    """The shop could not be started; the message says why."""


@contextlib.contextmanager
def open_shops(folder: Path, *, any_port: bool = False) -> Iterator[dict[str, str]]:
    """Run the shops that don't run yet, and yield the address of each component."""
    with contextlib.ExitStack() as held:
        yield {
            name: held.enter_context(_open_shop(folder, 0 if any_port else port, slow=name == "unindexed"))
            for name, port in PORTS.items()
        }


def demo_workloads(
    project: Project, addresses: dict[str, str], *, seconds: float, rate: float
) -> tuple[Workload, Workload]:
    """Return the demo's load and the same in rising steps, with the components `indexed` and `unindexed`."""
    give_environments(project)
    target = addresses["indexed"]
    for address in addresses.values():
        name_host(
            project, address.removeprefix("http://"), by="the performance track", note="the demo's shop"
        )
    environment = Environment.objects.get(project=project, name="local")
    steady = {"kind": "constant", "rate": rate}
    rising = {"kind": "steps", "rates": [rate / 2, rate, rate * 2], "step_duration": max(seconds / 2, 1.0)}
    made = [
        _save(project, name, target, environment, arrival, length)
        for name, arrival, length in (
            (NAME, steady, seconds),
            (f"{NAME}-steps", rising, 3 * max(seconds / 2, 1.0)),
        )
    ]
    for name, address in addresses.items():
        Component.objects.update_or_create(
            workload=made[0], name=name, defaults={"target": address, "price_per_hour": PRICES[name]}
        )
    return made[0], made[1]


def _save(
    project: Project, name: str, target: str, environment: Environment, arrival: dict[str, Any], length: float
) -> Workload:
    spec = {"requests": REQUESTS, "data": USERS, "arrival": arrival, "duration": length, "warmup": 0.5}
    return save_workload(
        project,
        name,
        target=target,
        spec=spec,
        environment=environment,
        generators=["open_loop"],
        now=timezone.now(),
        description="The demo's shop.",
    )[0]


@contextlib.contextmanager
def _open_shop(folder: Path, port: int, *, slow: bool) -> Iterator[str]:
    address = f"http://127.0.0.1:{port}"
    if port and _is_shop(address):
        yield address
        return
    words = ["--port", str(port), *(["--slow", f"database={SLOWER}"] if slow else [])]
    shop = _start(folder, words)
    try:
        line = _first_line(shop)
        if not line.startswith("The shop is open at ") and port:  # somebody else has the port
            shop.wait(5)
            shop = _start(folder, ["--port", "0", *words[2:]])
            line = _first_line(shop)
        if not line.startswith("The shop is open at "):
            raise NotOpen(f"The demo's shop could not be started: {line or 'it ended without a word'}")
        yield line.removeprefix("The shop is open at ").strip()
    finally:
        shop.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            shop.wait(5)
        shop.kill()


def _start(folder: Path, words: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "demo.target", *words],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _first_line(shop: subprocess.Popen[str]) -> str:
    out = shop.stdout
    ready = out is not None and select.select([out], [], [], BEGINS)[0]
    return out.readline() if out is not None and ready else ""


def _is_shop(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=1) as answer:  # noqa: S310 - loopback
            return answer.read(16) == b"ok\n"
    except OSError:
        return False
