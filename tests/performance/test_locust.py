"""Locust as a generator: its processes, its distributed mode, and files of a team's own."""

import socket
import subprocess
import sys

import numpy as np
import pytest

from performance.generators.host_guard import Guard
from performance.generators.joining import free_port
from performance.samples import WARM_UP
from tests.command_line import wait_until
from tests.performance.conftest import ROOT

LOCUST = "performance.generators.locust"
OWN = """
from locust import FastHttpUser, constant, task

class Shopper(FastHttpUser):
    wait_time = constant(0.02)

    @task
    def cart(self):
        self.client.get("/echo", name="cart")
"""
STRAY = OWN.replace('"/echo", name="cart"', '"http://elsewhere.example/"')


@pytest.fixture
def loads(put_load):
    """Start a load by Locust and wait for its end; (samples, end)."""

    def run(url, spec, **more):
        return put_load(url, spec, module=LOCUST, **more).wait()

    return run


def test_two_workers_share_one_load_and_every_request_is_kept(target, loads):
    spec = {
        "requests": [{"name": "a", "path": "/echo/{{n}}"}, {"name": "broken", "path": "/broken"}],
        "arrival": {"kind": "constant", "rate": 60},
        "duration": 1.5,
        "warmup": 0.5,
        "processes": 2,
        "users": 20,
        "abort": {"error_share": None},
    }

    samples, end = loads(target.url, spec)

    assert end["reason"] == "done"
    assert (end["facts"]["processes"], len(samples.rows)) == (2, 120)
    assert samples.requests == ["a", "broken"]
    assert samples.components == ["db", "cache"]
    assert np.allclose(np.sort(samples.rows["intended"]), np.arange(120) / 60, atol=0.01)
    assert ((samples.rows["flags"] & WARM_UP) != 0).sum() == 30
    broken = samples.rows["request"] == 1
    assert set(samples.rows["status"][broken]) == {500}
    assert np.array_equal(samples.failed, broken)
    assert (samples.rows["latency"] >= samples.rows["service"] - 1e-5).all()


def test_another_machine_joins_and_sends_back_what_it_measured(target, put_load):
    ports = [free_port(), free_port()]
    spec = {
        "requests": [{"name": "a", "path": "/echo/{{n}}"}],
        "arrival": {"kind": "constant", "rate": 40},
        "duration": 1.5,
        "users": 20,
        "workers": ["load-2"],
    }

    load = put_load(target.url, spec, module=LOCUST, secrets={"join": "s3cr3t"}, ports=ports)
    wait_until(lambda: is_open(ports[1]))
    stranger, guest = (start_guest(ports[1], secret) for secret in ("wrong", "s3cr3t"))
    samples, end = load.wait()

    assert end["reason"] == "done"
    assert end["facts"]["machines"] == 2
    assert len(samples.rows) == 60
    assert np.allclose(np.sort(samples.rows["intended"]), np.arange(60) / 40, atol=0.01)
    assert len(list(load.folder.glob("part-*/samples.bin"))) == 2
    assert guest.wait(timeout=30) == 0
    assert stranger.wait(timeout=30) != 0


def is_open(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def start_guest(port, secret):
    process = subprocess.Popen(
        [sys.executable, "-m", "performance.generators.joining", "127.0.0.1", str(port)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    process.stdin.write(secret)
    process.stdin.close()
    return process


def test_a_file_of_the_teams_own_is_run_as_it_is(target, loads):
    samples, end = loads(target.url, {"users": 3, "duration": 1}, locustfile=OWN)

    assert end["reason"] == "done"
    assert samples.requests == ["GET cart"]
    assert len(samples.rows) > 20
    assert not samples.failed.any()
    assert end["facts"]["coordinated_omission"].startswith("not avoided")


def test_a_file_that_strays_to_another_host_is_ended(target, put_load):
    load = put_load(target.url, {"users": 1, "duration": 60}, locustfile=STRAY, module=LOCUST)

    assert load.process.wait(timeout=90) == 0
    told = (load.folder / "end.json").read_text()
    assert "elsewhere.example is no host that the project calls its own" in told


def test_a_guard_knows_hosts_by_name_and_address():
    guard = Guard(["127.0.0.1:8080", "[::1]", "shop.example"])

    guard._name_is_looked_up("shop.example")
    guard._is_connected("127.0.0.1")
    for try_it in (
        lambda: guard._name_is_looked_up("evil.example"),
        lambda: guard._is_connected("192.0.2.1"),
    ):
        with pytest.raises(PermissionError):
            try_it()

    assert guard.refused == "evil.example"
