"""However the server ends, and whoever holds on to it, nothing of it is left soon after."""

import os
import signal
import socket
import time

import pytest

from tests.config.server import Server, seconds_until

pytestmark = [pytest.mark.timeout(180), pytest.mark.embedded]

# Seconds; on a machine that does nothing else half a second and two.  Without the ending they are for ever.
LEFT_WITHIN, STOPPED_WITHIN = 20.0, 30.0
REQUEST = b"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n"
BIG = b"/static/vendor/plotly/plotly.min.js"


def half_a_request(line):
    line.sendall(REQUEST.replace(b"{path}", b"/healthz"))


def half_a_body(line):
    line.sendall(b"POST /login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nusername=")


def idle_after_an_answer(line):
    line.sendall(REQUEST.replace(b"{path}", b"/healthz") + b"\r\n")
    assert line.recv(64).startswith(b"HTTP/1.1 200")


def a_slow_reader(line):
    line.sendall(REQUEST.replace(b"{path}", BIG) + b"\r\n")
    assert line.recv(64).startswith(b"HTTP/1.1 200")


CLIENTS = [half_a_request, half_a_body, idle_after_an_answer, a_slow_reader]


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    return Server(tmp_path_factory.mktemp("ends") / "data of its own")


@pytest.fixture
def server(installation):
    yield installation
    installation.end_all()


@pytest.fixture
def connect(server):
    """Connect a client to the running server, and keep it connected."""
    lines = []

    def make(client):
        line = socket.socket()
        lines.append(line)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.settimeout(10)
        line.connect(("127.0.0.1", server.port))
        client(line)
        time.sleep(0.3)  # until a thread of the server is busy with it

    yield make
    for line in lines:
        line.close()


def test_slow_clients_do_not_keep_the_server_from_stopping(server, connect):
    server.start("--no-demo")
    for client in CLIENTS:
        connect(client)

    took = server.stop_timed()

    assert took < STOPPED_WITHIN
    assert server.processes() == []


def test_slow_clients_do_not_keep_a_killed_servers_programs_alive(server, connect):
    server.start("--no-demo")
    for client in CLIENTS:
        connect(client)

    assert server.kill_up() < LEFT_WITHIN


def test_the_web_programs_worker_ends_with_its_master(server, connect):
    server.start("--no-demo")
    connect(half_a_body)
    before = set(server.processes("gunicorn"))
    assert len(before) == 2

    os.kill(server.leader("gunicorn"), signal.SIGKILL)

    assert seconds_until(lambda: not before & set(server.processes("gunicorn"))) < LEFT_WITHIN
    seconds_until(lambda: len(server.processes("gunicorn")) == 2)
    assert server.stop_timed() < STOPPED_WITHIN
