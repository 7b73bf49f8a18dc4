"""Scenarios and Locust files of a team's own: Locust, on several cores, and on several machines.

`python -m performance.generators.locust PLAN FOLDER` starts Locust's processes, gathers what each of them
wrote, watches and ends them.  Locust itself is never imported here: it changes the sockets of whoever does.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from performance.arrivals import planned_duration
from performance.generating import in_own_session, read_json
from performance.generators.base import (
    AVOIDED,
    NOT_AVOIDED,
    End,
    Plan,
    end_with,
    how_it_ended,
    machine,
    read_plan,
    secrets_input,
    write_json,
)
from performance.generators.gathering import Part
from performance.generators.joining import Host, free_port
from performance.generators.recording import Recorder
from performance.generators.watching import Watch
from performance.samples import WARM_UP

LOOK = 0.1  # seconds between two looks
BEGINS, JOINS = 60.0, 600.0  # seconds until all processes must be ready, or all machines
AHEAD = 0.3  # seconds between telling all to begin and the first request
LINGER = 3.0  # seconds beyond the time limit of the last request
FEW_USERS = 64


class Broken(Exception):
    """Locust could not go on; the message says why."""


class Locust:
    """One load from the start of Locust's processes to their end."""

    def __init__(self, plan: Plan, plan_path: Path, folder: Path) -> None:
        self.plan, self.plan_path, self.folder, self.spec = plan, plan_path, folder, plan.spec
        self.processes: list[subprocess.Popen[bytes]] = []
        self.recorder = Recorder(folder, [request.name for request in self.spec.requests])
        self.watch = Watch(self.spec, folder)
        self.locals = self.spec.processes
        self.is_distributed = self.locals > 1 or bool(self.spec.workers)
        self.parts: dict[str, Part] = {}
        self.wished = False
        self.host: Host | None = None
        self.begun_at = 0.0

    def run(self) -> End:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._wish)
        facts = machine()
        try:
            self._start()
            self._wait_until_ready()
            end = self._follow()
        except Broken as problem:
            end = End("error", str(problem))
        finally:
            self._end_all()
        self._gather()
        self._tick()
        self.recorder.close()
        is_timed = self.spec.arrival is not None
        end.generator_limit = self._limit() if self.begun_at else ""
        end.facts = {
            **facts,
            **({"started_at": self.begun_at, "ended_at": time.time()} if self.begun_at else {}),
            "version": 1,
            "processes": self.locals,
            "machines": 1 + len(self.spec.workers),
            "loop": "by timetable" if is_timed else "closed",
            "cpu": round(self._cpu(), 4),
            "late": self.watch.lags.as_facts(),
            "users": self.users,
            "coordinated_omission": AVOIDED if is_timed else NOT_AVOIDED,
        }
        return end

    @property
    def users(self) -> int:
        return self.spec.users or FEW_USERS

    def _wish(self, *_: object) -> None:
        self.wished = True

    def _start(self) -> None:
        write_json(self.folder / "hosts.json", self.plan.hosts)
        hooks = self.folder / "runtrail_load.py"
        hooks.write_text("from performance.generators.locust_hooks import *  # noqa: F403\n")
        files = [str(hooks)]
        if self.plan.locustfile:
            own = self.folder / "own_locustfile.py"
            own.write_text(self.plan.locustfile)
            files.append(str(own))
        common = ["-f", ",".join(files), "--headless", "--skip-log-setup", "--host", self.plan.target]
        load = ["-u", str(self.users), "-r", str(self.users), "--stop-timeout", "0", "--only-summary"]
        if not self.is_distributed:
            self._begin([*common, *load], 0)
            return
        expected = self.locals + len(self.spec.workers)
        host, port = "127.0.0.1", free_port()
        if self.spec.workers:
            host, port = "0.0.0.0", self.plan.ports[0]  # noqa: S104 - workers elsewhere must reach it
            self._open_door(port, expected)
        bound = ["--master-bind-host", host, "--master-bind-port", str(port)]
        wait = ["--expect-workers", str(expected), "--expect-workers-max-wait", str(int(JOINS))]
        self._begin([*common, *load, "--master", *bound, *wait], -1)
        for number in range(self.locals):
            reach = ["--master-host", "127.0.0.1", "--master-port", str(port)]
            self._begin(["-f", ",".join(files), "--skip-log-setup", "--worker", *reach], number)

    def _open_door(self, locust_port: int, parts: int) -> None:
        told = {"plan": read_json(self.plan_path), "parts": parts, "locust_port": locust_port}
        try:
            self.host = Host(self.plan, told, self.folder, range(self.locals, parts), self.plan.ports[1])
        except OSError as problem:
            raise Broken(f"Port {self.plan.ports[1]} for the other machines: {problem.strerror}.") from None

    def _begin(self, words: list[str], number: int) -> None:
        """Start one process; number -1 is the master, which sends nothing itself."""
        variables = {
            **os.environ,
            "RUNTRAIL_LOAD_PLAN": str(self.plan_path),
            "RUNTRAIL_LOAD_FOLDER": str(self.folder),
            "RUNTRAIL_LOAD_PART": str(number),
            "RUNTRAIL_LOAD_PARTS": str(self.locals + len(self.spec.workers)),
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "locust", *words],
            env=variables,
            stdin=subprocess.PIPE,
            preexec_fn=in_own_session(own=False),
        )
        self.processes.append(process)
        assert process.stdin is not None  # noqa: S101
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps(self.plan.secrets).encode())
            process.stdin.close()

    def _wait_until_ready(self) -> None:
        until = time.monotonic() + (JOINS if self.spec.workers else BEGINS)
        expected = self.locals + len(self.spec.workers)
        while not self.wished:
            self._demand_alive()
            ready = list(self.folder.glob("part-*/ready"))
            if len(ready) >= expected:
                self.begun_at = time.time() + AHEAD
                write_json(self.folder / "begin.json", {"at": self.begun_at})
                return
            if time.monotonic() > until:
                raise Broken(f"Of {expected} Locust processes only {len(ready)} were ready in time.")
            time.sleep(LOOK / 2)

    def _follow(self) -> End:
        planned = planned_duration(self.spec)
        until = self.begun_at + self.spec.warmup + planned + self.spec.timeout + LINGER
        looked = time.monotonic()
        while not self.wished:
            time.sleep(LOOK)
            self._demand_alive()
            self._gather()
            self._demand_own_hosts()
            are_done = [part.is_done for part in self.parts.values()]
            if all(are_done) and len(are_done) >= self.locals + len(self.spec.workers):
                return End("done")
            if planned and time.time() > until:
                return End("done")
            if time.monotonic() - looked >= 1.0:
                looked = time.monotonic()
                if end := self._tick():
                    return end
            if self.recorder.problem:
                return End("error", self.recorder.problem)
        return End("stopped", "It was asked to stop.")

    def _demand_own_hosts(self) -> None:
        for part in self.parts.values():
            if part.refused:
                raise Broken(f"{part.refused} is no host that the project calls its own; the load was ended.")

    def _gather(self) -> None:
        """Take over what the processes wrote since the last look."""
        for folder in sorted(self.folder.glob("part-*")):
            part = self.parts.setdefault(folder.name, Part(folder))
            rows, parts = part.take(self.recorder)
            if len(rows):
                self.recorder.add_many(rows, parts)

    def _tick(self) -> End | None:
        rows = self.recorder.take_recent()
        measured = rows[(rows["flags"] & WARM_UP) == 0]
        lags = np.maximum(measured["sent"] - measured["intended"], 0.0).tolist()
        going = sum(part.in_flight for part in self.parts.values())
        at = time.time() - self.begun_at if self.begun_at else 0.0
        return self.watch.tick(at, rows, lags, [0.0] * going, cpu=self._cpu())

    def _cpu(self) -> float:
        """Share of a core that the busiest process used."""
        return max((part.cpu for part in self.parts.values()), default=0.0)

    def _limit(self) -> str:
        if self._cpu() >= 0.9:
            return f"A Locust process used {self._cpu():.0%} of its core; give it more `processes`."
        return self.watch.limit()

    def _demand_alive(self) -> None:
        if self.host and self.host.lost:
            raise Broken(self.host.lost)
        for process in self.processes:
            if (code := process.poll()) is not None:
                raise Broken(f"A Locust process ended before the load did ({how_it_ended(code)}).")

    def _end_all(self) -> None:
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        until = time.monotonic() + 1.5
        for process in self.processes:
            try:
                process.wait(timeout=max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def main(plan_path: Path, folder: Path) -> int:
    plan = read_plan(plan_path, secrets_input())
    return end_with(folder, Locust(plan, plan_path, folder).run())


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
