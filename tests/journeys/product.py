"""The product as a user has it: its scripts, its commands, its pages; nothing of it is imported."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
import uuid
from pathlib import Path

import psycopg
import requests

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "journey-password"
FEW = f"""
[project]
slug = "demo"
name = "Demo"

[definitions.few]
test_type = "performance"

[[definitions.few.steps]]
workflow = "build_job.yml"
command = ["python", "{ROOT}/demo/build_job.py", "--workload", "standard"]
count = 8
inputs = {{ workload_type = "standard" }}
"""


def environment(data: Path) -> dict[str, str]:
    """A new user's environment: data of their own and, on PostgreSQL, an empty database of their own."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
    own = {"RUNTRAIL_DATA": str(data), "RUNTRAIL_ADMIN_PASSWORD": PASSWORD, "NO_COLOR": "1"}
    if os.environ.get("DATABASE_URL", "").startswith("postgres"):
        own["DATABASE_URL"] = empty_database(os.environ["DATABASE_URL"])
        own["REDIS_URL"] = os.environ["REDIS_URL"]
    return {**kept, **own}


def empty_database(url: str) -> str:
    """Make a database beside the suite's own and return its URL."""
    name = f"journey_{uuid.uuid4().hex[:10]}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return re.sub(r"/\w+(\?|$)", rf"/{name}\1", url, count=1)


class Product:
    """One installation: `start` it, `run` its commands, `kill` parts of it."""

    program: tuple[str | Path, ...] = (ROOT / "script/server",)

    def __init__(self, data: Path) -> None:
        self.data, self.environment = data, environment(data)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[str] | None = None

    def start(self, *arguments: str, within: float = 120) -> str:
        """Run the server until it says that it is ready; return what it said."""
        self.begin_start(*arguments)
        end = time.monotonic() + within
        while "Logs are in" not in self.log.read_text():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.05)
        return self.log.read_text()

    def begin_start(self, *arguments: str) -> None:
        self.log = self.data.parent / f"server-{time.monotonic_ns()}.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*self.program, "--port", str(self.port), *arguments],
                env=self.environment,
                stdout=log,
                stderr=log,
                cwd="/",
                text=True,
            )

    def stop(self) -> int | None:
        if self.process is None or self.process.poll() is not None:
            return None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [ROOT / "bin/runtrail", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            cwd=self.data.parent,
            timeout=180,
            check=False,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def take_few_jobs(self) -> None:
        """Give the demo the profile `few`: eight jobs of those that `performance` has thirty-four of."""
        profile = self.data.parent / "few.toml"
        profile.write_text(FEW)
        self.run("load_profiles", str(profile))

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command and leave it going."""
        return subprocess.Popen(
            [ROOT / "bin/runtrail", *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.data.parent,
        )

    def analysis(self, *arguments: str) -> dict:
        return json.loads(self.run("analyze_run", "-p", "demo", "--format", "json", *arguments).stdout)

    def wait_for(self, is_reached, *arguments: str, within: float = 150) -> dict:
        """Ask again until the analysis is as wanted."""
        end = time.monotonic() + within
        while not is_reached(found := self.analysis(*arguments)):
            assert time.monotonic() < end, found
            time.sleep(1.5)  # each question is a process, which the jobs have to make room for
        return found

    def processes(self, *words: str) -> list[int]:
        """Processes of this installation whose command line holds all `words`."""
        found = []
        for place in Path("/proc").glob("[0-9]*"):
            try:
                line = (place / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
                mine = f"RUNTRAIL_DATA={self.data}\0".encode() in (place / "environ").read_bytes()
                mine |= (place / "cwd").readlink().is_relative_to(self.data)  # Valkey hides the other two
            except OSError:
                continue
            if (mine or str(self.data) in line) and all(word in line for word in words):
                found.append(int(place.name))
        return found

    def kill(self, *words: str) -> None:
        victims = self.processes(*words)
        assert victims, words
        for victim in victims:
            os.kill(victim, signal.SIGKILL)

    def outputs(self) -> list[str]:
        return [path.read_text() for path in self.data.glob("local_jobs/*/*/output.log")]

    def browser_session(self) -> requests.Session:
        """A session that has logged in at the login page, as a browser would."""
        session = requests.Session()
        page = session.get(f"{self.url}/", timeout=10)
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert token, page.text[:500]
        form = {"csrfmiddlewaretoken": token[1], "username": "admin", "password": PASSWORD}
        answer = session.post(page.url, data=form, headers={"Referer": page.url}, timeout=10)
        assert answer.url == f"{self.url}/", "the login leads back to the page that was asked for"
        return session


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
