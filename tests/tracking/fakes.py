"""A CI service in memory, and runs that are about to be sent to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from access.models import Project
from tracking.ci import CILost, CIRefused, CIUnavailable, Preflight, RemoteJob, RemoteRun, Seen, Sent
from tracking.models import Environment, Step, TestDefinition
from tracking.tracker import start_run

NINE = datetime(2026, 1, 4, 9, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NINE + timedelta(seconds=seconds)


def make_definition(**step):
    project, _ = Project.objects.get_or_create(slug="shop", defaults={"name": "Shop"})
    definition = TestDefinition.objects.create(
        project=project,
        name="performance",
        test_type="performance",
        is_from_shell=True,
        folder="/",
        timeout=600,
    )
    defaults = {"workflow": "build_job.yml", "command": ["true"], "count": 3}
    Step.objects.create(definition=definition, position=1, **{**defaults, **step})
    return definition


def make_environment(name="local", **fields):
    project, _ = Project.objects.get_or_create(slug="shop", defaults={"name": "Shop"})
    return Environment.objects.create(project=project, name=name, kind="local", **fields)


def begin(*, driver="", now=NINE, **step):
    """A run of three workflows that nothing was sent of."""
    definition = TestDefinition.objects.filter(name="performance").first() or make_definition(**step)
    environment = Environment.objects.filter(name="local").first() or make_environment()
    return start_run(definition, environment, triggered_by="a test", now=now, driver=driver)


class FakeCI:
    """Starts a dispatch_id once; tests tell it how its workflows go on."""

    clock = "api"
    resend_after = timedelta(0)
    grace = timedelta(seconds=60)
    force_after = None
    confirms = False

    def __init__(self, faults=(), refuse=(), silent=False, lose=()):
        self.runs: dict[str, RemoteRun] = {}
        self.asked: list[str] = []
        self.cancelled: list[tuple[str, bool]] = []
        self.faults, self.refuse, self.silent = tuple(faults), set(refuse), silent
        self.lose = set(lose)  # positions whose answer is lost before anything was started

    def preflight(self, plan, *, now, for_run=None):
        return Preflight(faults=self.faults)

    def dispatch(self, workflow, *, now):
        self.asked.append(workflow.dispatch_id)
        if self.silent:
            raise CIUnavailable("no answer")
        if workflow.position in self.refuse:
            raise CIRefused("no such workflow")
        if workflow.position in self.lose:
            self.lose.remove(workflow.position)
            raise CILost("the connection was dropped.")
        self.runs.setdefault(
            workflow.dispatch_id,
            RemoteRun(
                workflow.dispatch_id,
                "queued",
                title=workflow.run.test_run_id,
                created_at=now,
                run_started_at=now,
            ),
        )
        return Sent(url="https://ci.example/1")

    def fetch(self, workflows, *, now, confirm=False):
        if self.silent:
            raise CIUnavailable("no answer")
        wanted = [row.dispatch_id for row in workflows]
        return Seen(tuple(self.runs[one] for one in wanted if one in self.runs), listed_at=now)

    def cancel(self, workflow, *, now, force=False):
        self.cancelled.append((workflow.dispatch_id, force))
        self.finish(workflow.dispatch_id, "cancelled", at=now)

    def output(self, workflow):
        return None

    def start(self, dispatch_id, *, queue=20):
        remote = self.runs[dispatch_id]
        job = RemoteJob(1, "build", "in_progress", "", remote.created_at, self._later(remote, queue), None, 7)
        self.runs[dispatch_id] = replace(remote, status="in_progress", jobs=(job,))

    def finish(self, dispatch_id, conclusion="success", *, queue=20, execution=30, at=None):
        remote = self.runs[dispatch_id]
        if remote.status == "completed":
            return
        ran = conclusion not in ("skipped", "cancelled")
        end = at or self._later(remote, queue + execution)
        job = RemoteJob(
            1,
            "build",
            "completed",
            conclusion,
            remote.created_at,
            self._later(remote, queue) if ran else None,
            end,
            7 if ran else None,
        )
        self.runs[dispatch_id] = replace(
            remote, status="completed", conclusion=conclusion, completed_at=end, jobs=(job,)
        )

    def finish_all(self, conclusion="success", **times):
        for dispatch_id in self.runs:
            self.finish(dispatch_id, conclusion, **times)

    def rerun(self, dispatch_id, *, at):
        """Somebody presses re-run at the service: the same workflow, one attempt more."""
        remote = self.runs[dispatch_id]
        self.runs[dispatch_id] = RemoteRun(
            dispatch_id, "queued", attempt=remote.attempt + 1, created_at=at, run_started_at=at
        )

    @staticmethod
    def _later(remote, seconds):
        return remote.created_at + timedelta(seconds=seconds)
