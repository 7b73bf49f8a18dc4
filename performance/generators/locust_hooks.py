"""What every Locust process of a load runs beside its users: samples, timetable, and a guard of hosts.

Imported in Locust's processes only, by the file that `performance.generators.locust` writes.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import gevent
from locust import FastHttpUser, events, task
from locust.exception import StopUser

from performance.generating import read_json
from performance.generators.base import NO_ROOM, no_room, read_plan, write_json
from performance.generators.content import Content, is_right
from performance.generators.host_guard import Guard
from performance.generators.recording import FLUSH_EVERY
from performance.generators.timetable import Timetable

PART = int(os.environ["RUNTRAIL_LOAD_PART"])
PARTS = int(os.environ["RUNTRAIL_LOAD_PARTS"])
FOLDER = Path(os.environ["RUNTRAIL_LOAD_FOLDER"])
PLAN = read_plan(Path(os.environ["RUNTRAIL_LOAD_PLAN"]), sys.stdin)

__all__ = ["Load"] if not PLAN.locustfile else []

guard = Guard([PLAN.address[1], *PLAN.hosts])
content = Content(PLAN)
timetable: Timetable | None = None

if PART >= 0:
    from performance.generators.locust_recording import PartRecorder

    recorder = PartRecorder(FOLDER / f"part-{PART}", [request.name for request in PLAN.spec.requests])
    timetable = Timetable(PLAN, PART, PARTS)


class Load(FastHttpUser):
    """A user who sends what the plan says; left out where the team's own file has the users."""

    abstract = bool(PLAN.locustfile)
    insecure = not PLAN.spec.verify_tls
    network_timeout = connection_timeout = PLAN.spec.timeout
    max_redirects = 1

    def on_start(self) -> None:
        assert timetable is not None  # noqa: S101 - the master has no users
        self.number = timetable.next_user()
        timetable.wait_for_begin(self.number)

    @task
    def turn(self) -> None:
        assert timetable is not None  # noqa: S101
        due = timetable.next_due()
        if due is None:
            raise StopUser
        if PLAN.spec.scenario:
            for place in range(len(PLAN.spec.requests)):
                self.send(place, due)
                due = timetable.think()
                if timetable.is_over(due):
                    raise StopUser
        else:
            self.send(timetable.next_request(), due)
            if PLAN.spec.arrival is None:
                timetable.think()

    def send(self, place: int, due: float) -> None:
        request, n = PLAN.spec.requests[place], timetable.count()  # type: ignore[union-attr]
        made = content.templates[place].as_pieces(n, content.values(n, self.number))
        recorder.in_flight += 1
        try:
            with self.client.request(
                request.method,
                made.path,
                name=request.name,
                data=made.body or None,  # type: ignore[arg-type]
                headers=made.headers,
                catch_response=True,
                allow_redirects=False,
                context={"runtrail_due": due},
            ) as response:
                status = response.status_code or 0
                if status:
                    body = response.content or b""
                    latency = time.time() - due
                    if is_right(request.checks, status, latency, len(body), body):
                        response.success()
                    else:
                        response.failure("did not pass its checks")
        finally:
            recorder.in_flight -= 1


@events.request.add_listener
def keep(
    request_type: str,
    name: str,
    response_time: float,
    response_length: int,
    exception: BaseException | None = None,
    response: Any = None,
    context: dict[str, Any] | None = None,
    start_time: float | None = None,
    **_: Any,
) -> None:
    """Keep every request as a sample; those of a team's own file count from their send."""
    if timetable is None or not timetable.begun_at:
        return
    service = (response_time or 0.0) / 1000
    sent = start_time if start_time is not None else time.time() - service
    due = (context or {}).get("runtrail_due", sent)
    recorder.keep(
        name if context and "runtrail_due" in context else f"{request_type} {name}",
        due=due - timetable.begun_at,
        sent=sent - timetable.begun_at,
        service=service,
        size=response_length or 0,
        exception=exception,
        response=response,
        is_warmup=due - timetable.begun_at < PLAN.spec.warmup,
    )
    timetable.took_one(is_warmup=due - timetable.begun_at < PLAN.spec.warmup)


@events.init.add_listener
def prepare(environment: Any, **_: Any) -> None:
    if PART >= 0:
        gevent.spawn(_chores)
    guard.close()


@events.spawning_complete.add_listener
def users_are_there(**_: Any) -> None:
    if PART >= 0:
        (FOLDER / f"part-{PART}" / "ready").touch()


def _chores() -> None:
    """Learn when to begin, and write what there is."""
    assert timetable is not None  # noqa: S101
    last, used = time.perf_counter(), time.process_time()
    while True:
        gevent.sleep(FLUSH_EVERY if timetable.begun_at else 0.02)
        if not timetable.begun_at and (told := read_json(FOLDER / "begin.json")):
            timetable.begin(told["at"])
        recorder.flush()
        now = time.perf_counter()
        if now - last >= 0.5 or timetable.is_through:
            share = (time.process_time() - used) / max(now - last, 1e-6)
            last, used = now, time.process_time()
            state = {
                "in_flight": recorder.in_flight,
                "cpu": round(share, 3),
                "done": timetable.is_through and recorder.in_flight <= 0,
                "refused": guard.refused,
            }
            try:
                write_json(FOLDER / f"part-{PART}" / "state.json", state)
            except OSError as problem:
                recorder.problem = no_room(problem)
        if recorder.problem:  # nobody would see what is sent from now on
            os._exit(NO_ROOM)
