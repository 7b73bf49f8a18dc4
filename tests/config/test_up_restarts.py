"""What the server does about programs that die, and about work that was in their hands."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.config.server import Server, seconds_until
from tests.journeys.product import ROOT

pytestmark = [pytest.mark.timeout(180), pytest.mark.embedded]


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    deep = "deep down and with spaces/" * 5
    data = tmp_path_factory.mktemp("restarts") / deep
    assert len(str(data)) > 100
    return Server(data, DJANGO_SETTINGS_MODULE="tests.config.slow_settings")


@pytest.fixture
def server(installation):
    yield installation
    installation.end_all()


@pytest.fixture
def running(server):
    server.start("--no-demo")
    return server


def send_task(server, lines, seconds):
    command = [sys.executable, "-m", "tests.config.slow_task", str(lines), str(seconds)]
    # A broker that was just started again may not listen yet.
    seconds_until(
        lambda: subprocess.run(command, env=server.environment, cwd=ROOT, check=False).returncode == 0
    )
    seconds_until(lambda: lines.exists() and "began" in lines.read_text())


def ended(lines):
    return lines.read_text().count("ended")


def end_by_stopping(server):
    assert server.stop_timed() < 30


def end_by_killing_everything(server):
    server.end_all()
    seconds_until(lambda: not server.processes())
    assert next(iter(server.socket_folder.glob("*.sock")), None), "it is stale, and in the next one's way"


@pytest.mark.parametrize("end", [end_by_stopping, end_by_killing_everything])
def test_a_task_in_flight_is_given_back_and_done_once_by_the_next_server(server, tmp_path, end):
    lines = tmp_path / "lines"
    server.start("--no-demo")
    send_task(server, lines, 6)

    end(server)
    assert server.processes() == []
    server.start("--no-demo")

    seconds_until(lambda: ended(lines))
    time.sleep(1)
    assert ended(lines) == 1
    assert lines.read_text().count("began") == 2
    assert server.stop_timed() < 30


def test_a_short_task_is_finished_before_the_server_stops(server, tmp_path):
    lines = tmp_path / "lines"
    server.start("--no-demo")
    send_task(server, lines, 1)

    assert server.stop_timed() < 30

    assert lines.read_text().splitlines()[-1].startswith("ended")


def test_a_killed_workers_task_is_done_once_by_the_next_worker(running, tmp_path):
    lines = tmp_path / "lines"
    send_task(running, lines, 3)

    os.kill(running.leader("celery", "worker"), signal.SIGKILL)

    seconds_until(lambda: ended(lines))
    assert ended(lines) == 1
    assert "gave back 1 unfinished task to the worker" in running.log.read_text()


def test_a_program_that_keeps_dying_is_started_less_often_and_the_others_stay(running):
    others = set(running.processes()) - set(running.processes("celery", "beat"))

    for _ in range(12):  # on a busy machine one may live long enough to count as well again
        seconds_until(lambda: running.processes("celery", "beat"))
        os.kill(running.leader("celery", "beat"), signal.SIGKILL)
        seconds_until(lambda: not running.processes("celery", "beat"))
        if "starting it again in 4.0 s" in running.log.read_text():
            break
    assert "scheduler ended (signal 9); starting it again in 4.0 s" in running.log.read_text()

    assert others <= set(running.processes())
    seconds_until(lambda: running.processes("celery", "beat"))


def test_the_death_of_broker_and_worker_together_is_survived(running, tmp_path):
    lines = tmp_path / "lines"
    os.kill(running.leader("valkey"), signal.SIGKILL)
    os.kill(running.leader("celery", "worker"), signal.SIGKILL)

    seconds_until(lambda: running.processes("valkey") and running.processes("celery", "worker"))
    send_task(running, lines, 0)

    seconds_until(lambda: ended(lines))
    assert running.process.poll() is None
