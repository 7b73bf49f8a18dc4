"""A live server and a shop to put load on, and what tests ask of them over HTTP."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from tests.config.server import Server
from tests.journeys.product import ROOT

ADDRESS, TOKEN = "API_BASE_URL", "RUNTRAIL_TOKEN"
REQUESTS = [{"name": "catalog", "path": "/catalog"}, {"name": "cart", "path": "/cart/{{n}}"}]
SHOPS = {
    "indexed": ["--slow", "rendering=0.03"],
    "unindexed": ["--slow", "rendering=0.03", "--slow", "database=0.09"],
}


@contextmanager
def live_server(folder: Path) -> Iterator[tuple[str, str]]:
    """Start a server with data of its own; yield its address and a token of an administrator."""
    server = Server(folder / "data")
    server.environment.pop("DATABASE_URL", None)
    try:
        server.start("--no-demo")
        token = server.run("create_token", "performance tests", "--scope", "admin").stdout.strip()
        yield server.url, token
        server.stop()
    finally:
        server.end_all()


@contextmanager
def open_shop(*words: str) -> Iterator[str]:
    """Run the demo's shop on a free port; yield its address."""
    command = [sys.executable, "-m", "demo.target", *words]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as shop:
        try:
            yield shop.stdout.readline().split()[-1]
        finally:
            shop.kill()


@dataclass
class Api:
    """The API as a program uses it; `limit` is how many seconds it waits for a run to end."""

    url: str
    token: str
    timeout: float
    limit: float
    session: requests.Session = field(default_factory=requests.Session)

    def ask(self, method: str, path: str, body: Any = None, *, token: str | None = None) -> requests.Response:
        header = {"Authorization": f"Bearer {self.token if token is None else token}"}
        if token == "":
            header = {}
        where = f"{self.url.rstrip('/')}/api/v1/{path}"
        return self.session.request(method, where, json=body, headers=header, timeout=self.timeout)

    def get(self, path: str) -> Any:
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None) -> Any:
        answer = self.ask("POST", path, body or {})
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def wait(self, path: str, is_reached: Any) -> Any:
        """Ask again until it is as wanted."""
        end = time.monotonic() + self.limit
        while not is_reached(found := self.get(path)):
            assert time.monotonic() < end, f"not within {self.limit} s: {found}"
            time.sleep(0.2)
        return found

    def trigger(self, workload: str, **wanted: Any) -> Any:
        return self.post(f"performance/workloads/{workload}/trigger/", wanted)

    def ended(self, run: str) -> Any:
        return self.wait(f"performance/runs/{run}/", lambda found: found["status"] != "running")

    def measured(self, workload: str, **wanted: Any) -> Any:
        """A run that measured its target whole; a machine that was too busy for one gets three more tries."""
        for _ in range(4):
            run = self.ended(self.trigger(workload, **wanted)["testRunId"])
            if run["status"] == "passed" and not run["generatorLimit"]:
                break
        assert (run["status"], run["generatorLimit"]) == ("passed", ""), run
        return run


def workload_of(api: Api, shops: dict[str, str], name: str, **changes: Any) -> dict[str, Any]:
    """Make the workload `name`, or bring the one there is to the same; return it."""
    for address in shops.values():
        api.post("performance/target-hosts/", {"host": address.removeprefix("http://"), "note": "tests"})
    wanted = {
        "name": name,
        "environment": "local",
        "target": shops["indexed"],
        "components": [
            {"name": component, "target": address, "pricePerHour": 0.1}
            for component, address in shops.items()
        ],
        "spec": {
            "requests": REQUESTS,
            "arrival": {"kind": "constant", "rate": 40},
            "duration": 2.5,
            "warmup": 0.3,
            **changes,
        },
    }
    there = api.get(f"performance/workloads/?name={name}")["results"]
    if not there:
        return api.post("performance/workloads/", wanted)
    where = f"performance/workloads/{there[0]['id']}/"
    answer = api.ask("PATCH", where, {key: value for key, value in wanted.items() if key != "name"})
    assert answer.status_code == 200, answer.text
    return answer.json()


def given() -> tuple[str, str] | None:
    """The server that the environment names, with its token; None where one is to be started."""
    address = os.environ.get(ADDRESS, "")
    return (address, os.environ.get(TOKEN, "")) if address else None
