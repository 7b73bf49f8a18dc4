"""The demo's shop as a process of its own, the real generator, and what both say of a load."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from performance.measured import Measured, measured_of
from performance.samples import read_folder
from performance.sources.host import sampling
from performance.sources.host_samples import read_samples, series_of

ROOT = Path(__file__).resolve().parents[2]
GENERATOR = "performance.generators.open_loop"


@dataclass(frozen=True)
class Shop:
    """A shop that runs."""

    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, path: str, method: str = "GET", content: Any = None) -> Any:
        body = None if content is None else json.dumps(content).encode()
        asked = urllib.request.Request(self.address + path, data=body, method=method)
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return answer.read(), answer.headers

    @contextlib.contextmanager
    def switched(self, **positions: float):
        """Ill for as long as the block goes on."""
        self.ask("/switches", "POST", positions)
        try:
            yield
        finally:
            self.ask("/switches", "DELETE")

    def load(self, spec: dict[str, Any], folder: Path) -> Measured:
        """Put a load on it, sampling this machine meanwhile; return what was measured."""
        (folder / "plan.json").write_text(json.dumps({"spec": spec, "target": self.address, "seed": 3}))
        command = [sys.executable, "-m", GENERATOR, folder / "plan.json", folder]
        with sampling(folder, interval=0.2, target_port=self.port) as host:
            subprocess.run(command, input="{}", text=True, check=True, cwd=ROOT)
        end = json.loads((folder / "end.json").read_text())
        begun = end["facts"]["started_at"]
        series = [dataclasses.replace(one, times=one.times - begun) for one in series_of(read_samples(host))]
        return measured_of(
            read_folder(folder), spec=spec, series=tuple(series), generator_limit=end["generator_limit"]
        )


@contextlib.contextmanager
def opened(*arguments: str, **variables: str):
    command = [sys.executable, "-m", "demo.target", *arguments]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=variables or None
    ) as program:
        try:
            yield Shop(int(program.stdout.readline().rsplit(":", 1)[1]))
        finally:
            program.terminate()


@pytest.fixture(scope="session")
def shop():
    with opened() as one:
        yield one
