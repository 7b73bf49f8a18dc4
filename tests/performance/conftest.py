"""Targets and generators as processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from performance.samples import Samples, read_folder

ROOT = Path(__file__).resolve().parents[2]


class TargetProcess:
    """A `queue_server` that can be killed."""

    def __init__(self, folder: Path, services: list[float] | None = None) -> None:
        file = folder / "services.json"
        file.write_text(json.dumps(services or [0.0]))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.performance.queue_server", str(file)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port = int(self.process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TargetProcess]:
    """A target that answers at once; it lives as long as the suite."""
    started = TargetProcess(tmp_path_factory.mktemp("target"))
    yield started
    started.kill()


@pytest.fixture
def mortal_target(tmp_path: Path) -> Iterator[TargetProcess]:
    """A target of the test's own, to be killed."""
    started = TargetProcess(tmp_path)
    yield started
    started.kill()


class Load:
    """One generator's process, as the driver starts it but without Django."""

    def __init__(self, folder: Path, plan: dict[str, Any], secrets: dict[str, str], module: str) -> None:
        self.folder = folder
        self.folder.mkdir()
        path = folder / "plan.json"
        path.write_text(json.dumps(plan))
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, str(path), str(folder)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        self.process.stdin.write(json.dumps(secrets).encode())
        self.process.stdin.close()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def wait(self) -> tuple[Samples, dict[str, Any]]:
        assert self.process.wait(timeout=90) == 0
        return read_folder(self.folder), json.loads((self.folder / "end.json").read_text())


@pytest.fixture
def put_load(tmp_path: Path) -> Iterator[Any]:
    """Start generators: put_load(target_url, spec, secrets=…, module=…, **more of the plan)."""
    started: list[Load] = []

    def start(
        url: str,
        spec: dict[str, Any],
        *,
        secrets: dict[str, str] | None = None,
        module: str = "performance.generators.open_loop",
        **more: Any,
    ) -> Load:
        plan = {"target": url, "spec": spec, "seed": 1, **more}
        started.append(Load(tmp_path / f"load-{len(started)}", plan, secrets or {}, module))
        return started[-1]

    yield start
    for load in started:
        load.kill()
