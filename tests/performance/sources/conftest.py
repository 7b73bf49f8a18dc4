"""A real Prometheus on loopback with numbers that are known, written into its storage beforehand."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

START = datetime.fromtimestamp((time.time() // 60 - 90) * 60, UTC)  # an hour and a half ago, on the minute
STEP = 15


@dataclass(frozen=True)
class Told:
    """Where it answers, and what it was given: busy is 0, 1, 2 … every 15 s, with a gap from 150 to 240 s."""

    url: str
    start: datetime = START


@pytest.fixture(scope="session")
def prometheus(tmp_path_factory):
    if not shutil.which("prometheus") and os.environ.get("CI") != "true":
        pytest.skip("no Prometheus is installed (Debian: apt-get install prometheus)")
    place = tmp_path_factory.mktemp("prometheus")
    lines = ["# TYPE busy gauge"]
    for machine, factor in (("a", 1), ("b", 10)):
        for number in range(41):
            if not 150 <= STEP * number < 240:
                at = int(START.timestamp()) + STEP * number
                lines.append(f'busy{{machine="{machine}"}} {number * factor} {at}')
    (place / "metrics.txt").write_text("\n".join([*lines, "# EOF", ""]))
    made = ["promtool", "tsdb", "create-blocks-from", "openmetrics", place / "metrics.txt", place / "data"]
    subprocess.run(made, check=True, capture_output=True)
    (place / "prometheus.yml").write_text("global: {}\n")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["prometheus", f"--config.file={place}/prometheus.yml", f"--storage.tsdb.path={place}/data"]
    command += [f"--web.listen-address=127.0.0.1:{port}", "--query.lookback-delta=15s", "--log.level=error"]
    with (place / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url, server, place / "log")
        yield Told(url)
    finally:
        server.terminate()
        server.wait(20)


def _wait(url, server, log) -> None:
    for _ in range(600):
        assert server.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(f"{url}/-/ready", timeout=1)
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(log.read_text())
