"""A project on the double of GitHub, and the hands that would drive its runs."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from tests.factories import make_definition, make_environment, make_project
from tests.github_double import Faults, Server, World
from tests.github_double.server import TOKEN
from tracking import drive
from tracking.ci.github.budget import Limits, ProcessBudget
from tracking.ci.github.client import Client
from tracking.ci.github.credentials import PersonalToken
from tracking.ci.github.memory import Memory
from tracking.ci.github.records import message
from tracking.ci.github.service import GitHub
from tracking.ci.github.transport import Transport
from tracking.deliveries import apply_delivery, keep_delivery
from tracking.models import TestRun, WorkflowAttempt, WorkflowJob
from tracking.tracker import start_run

FAST = Limits(pause=0, writes_per_minute=10_000, writes_per_hour=100_000, points_per_minute=100_000)
NO_REDIS = "unix:///nowhere/valkey.sock"


class Desk:
    """Everything on one clock: the double's.  `hooks` are the webhooks, on or off."""

    def __init__(self, *, faults: Faults | None = None, hooks: bool = True, **server: Any) -> None:
        self.world = World(faults)
        self.repo = self.world.add_repository("acme/shop")
        self.file = self.world.add_file(self.repo)
        self.server = Server(self.world, **server)
        self.hooks = hooks
        self.slept = 0.0
        self.project = make_project("shop", repository="acme/shop")
        self.environment = make_environment("aws-ecs", project=self.project, service="github")

    def sleep(self, seconds: float) -> None:
        """What the client does between two tries: time passes, and a test may want to know."""
        self.slept += seconds
        self.world.advance(seconds)

    @property
    def now(self) -> Any:
        return self.world.now

    def service(self, *, limits: Limits = FAST, version: str = "2022-11-28", token: str = TOKEN) -> GitHub:
        """The real service, on the double's clock."""
        made = GitHub(
            self.project,
            api_url=self.server.url,
            version=version,
            token=token,
            app_id="",
            app_key="",
            unknown_wait=600,
            redis_url=NO_REDIS,
            limits={},
        )
        clock = lambda: self.world.now.timestamp()  # noqa: E731
        made.limits = limits
        made.transport = Transport(
            self.server.url,
            version,
            PersonalToken(token),
            budget=ProcessBudget(limits, clock),
            memory=Memory(NO_REDIS),
            clock=clock,
            sleep=self.sleep,
        )
        made.client = Client(made.transport, "acme/shop")
        return made

    def begin(self, count: int = 34, *, steps: list[dict[str, Any]] | None = None, **fields: Any) -> TestRun:
        steps = steps or [
            {"workflow": "build_job.yml", "count": count, "inputs": {"workload_type": "standard"}}
        ]
        definition = make_definition("performance", project=self.project, steps=steps, **fields)
        return start_run(definition, self.environment, triggered_by="a test", now=self.now)

    def deliver(self) -> None:
        """Hand over what GitHub's webhooks would have brought by now."""
        for guid, event, payload in self.world.take_messages():
            if self.hooks:
                body = json.dumps(payload).encode()
                delivery, is_to_do = keep_delivery(guid, event, body, project=None, now=self.now)
                if is_to_do:
                    apply_delivery(delivery, read=message, now=self.now)

    def look(self, run: TestRun, service: GitHub) -> TestRun:
        """What a worker does when it takes up the run."""
        drive.advance(TestRun.objects.for_file().get(pk=run.pk), ci=service, now=self.now)
        return TestRun.objects.for_file().get(pk=run.pk)

    def until_closed(
        self, run: TestRun, service: GitHub | None = None, *, step: float = 5, most: float = 7200
    ) -> TestRun:
        """Let time pass until the run has ended, looking every `step` seconds as the sweep does."""
        service = service or self.service()
        end = self.now + timedelta(seconds=most)
        while run.is_running and self.now < end:
            run = self.look(run, service)
            self.world.advance(step)
            self.deliver()
        return run


def pass_time(desk: Desk, run: TestRun, service: GitHub, seconds: float, step: float = 5) -> TestRun:
    """Let time pass, looking every `step` seconds, and return the run as it is then."""
    for _ in range(int(seconds / step)):
        run = desk.look(run, service)
        desk.world.advance(step)
        desk.deliver()
    return desk.look(run, service)


def final_rows(run: TestRun) -> dict[str, Any]:
    """All that was learned of a run, without what depends on the way it was learned."""
    job = (
        *("attempt__workflow__position", "attempt__number", "job_id", "name", "status", "conclusion"),
        *("created_at", "started_at", "completed_at", "runner_id", "runner_name", "queue", "execution"),
    )
    attempt = (
        *("workflow__position", "number", "status", "conclusion", "run_started_at", "completed_at"),
        *("queue", "execution", "total", "method", "quality", "is_whole"),
    )
    workflow = (
        "position",
        "conclusion",
        "github_run_id",
        "attempt",
        "dispatch_state",
        "reason",
    )
    return {
        "run": (run.status, run.commit_sha, run.tree_hash),
        "tags": run.workflow_runs.filter(visible_tag__startswith=run.test_run_id).count(),
        "workflows": list(run.workflow_runs.order_by("position").values_list(*workflow)),
        "attempts": list(
            WorkflowAttempt.objects.filter(workflow__run=run)
            .order_by("workflow__position", "number")
            .values_list(*attempt)
        ),
        "jobs": list(
            WorkflowJob.objects.filter(attempt__workflow__run=run)
            .order_by("attempt__workflow__position", "attempt__number", "job_id")
            .values_list(*job)
        ),
    }
