"""What the server says where it can't start, and that nothing is broken by it."""

import os
import re
import resource
import signal
import subprocess
import sys
import time

import pytest

from tests.config.server import Server, seconds_until
from tests.journeys.product import ROOT, free_port

pytestmark = [pytest.mark.timeout(180), pytest.mark.embedded]
ENVIRONMENT = {"PATH": os.environ["PATH"], "RUNTRAIL_ADMIN_PASSWORD": "start-password"}


@pytest.fixture
def make_server(tmp_path):
    made = []

    def make(name="data"):
        made.append(Server(tmp_path / name))
        return made[-1]

    yield make
    for server in made:
        server.end_all()


def up(data, *arguments, **options):
    """`up` in vain: its exit code and what it said."""
    done = subprocess.run(
        [sys.executable, ROOT / "manage.py", "up", "--no-demo", *arguments],
        env={**ENVIRONMENT, "RUNTRAIL_DATA": str(data), **options.pop("variables", {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )
    return done.returncode, done.stderr


def test_a_second_server_on_the_same_data_or_port_says_so_and_leaves_the_first_alone(make_server):
    first = make_server()
    first.start("--no-demo")
    before = set(first.processes())

    code, said = up(first.data, "--port", str(free_port()))
    assert (code, said.count("\n")) == (1, 1)
    assert f"A server is running on the data in {first.data} already. Stop it first" in said

    code, said = up(first.data.with_name("other"), "--port", str(first.port))
    assert (code, said.count("\n")) == (1, 1)
    assert f"Port {first.port} on 127.0.0.1 can't be used: Address already in use" in said

    assert before <= set(first.processes())
    assert first.stop() == 0


@pytest.mark.parametrize("port", ["0", "65536", "-1"])
def test_a_port_that_there_is_not_is_refused_in_a_line(tmp_path, port):
    assert up(tmp_path, f"--port={port}") == (
        1,
        f"CommandError: There is no port {port}. Choose one from 1 to 65535 with --port.\n",
    )


@pytest.mark.parametrize("bytes_a_file", [0, 2_000_000])
def test_a_disk_without_room_is_told_in_a_line_and_breaks_nothing(make_server, bytes_a_file):
    server = make_server()

    def little_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_a_file, bytes_a_file))

    code, said = up(server.data, "--port", str(server.port), preexec_fn=little_room)

    assert code == 1
    assert said.count("\n") == 1, said
    assert str(server.data) in said
    assert "room" in said
    assert server.processes() == []
    server.start("--no-demo")
    assert server.browser_session()
    assert server.stop() == 0


def test_a_folder_where_nothing_may_be_written_is_told_in_a_line():
    code, said = up("/sys", "--port", str(free_port()))  # not even root may

    assert code == 1
    assert re.fullmatch(
        r"Runtrail can't start: RUNTRAIL_DATA: nothing can be written into /sys: .*\.\n", said
    )


def test_a_database_server_that_is_not_there_is_told_in_a_line(tmp_path):
    url = {"DATABASE_URL": f"postgresql://ada:hunter2@127.0.0.1:{free_port()}/runtrail"}

    for _ in range(3):  # another test's server may have taken the port meanwhile
        code, said = up(tmp_path, "--port", str(free_port()), variables=url)
        if "Address already in use" not in said:
            break

    assert (code, said.count("\n")) == (1, 1)
    assert said.startswith("CommandError: The database that DATABASE_URL names can't be used: ")
    assert "hunter2" not in said


@pytest.mark.parametrize(("number", "seconds"), [(signal.SIGTERM, 0.2), (signal.SIGKILL, 0.6)])
def test_a_first_start_that_is_ended_while_it_migrates_is_completed_by_the_next(make_server, number, seconds):
    server = make_server()
    server.begin_start("--no-demo")
    seconds_until(lambda: "Bringing the database up to date" in server.log.read_text())
    time.sleep(seconds)

    server.process.send_signal(number)
    code = server.process.wait(60)

    assert code == (-number if number == signal.SIGKILL else 0), server.log.read_text()
    assert "Log in as admin" not in server.log.read_text()
    seconds_until(lambda: not server.processes())
    server.start("--no-demo")
    assert server.browser_session()
