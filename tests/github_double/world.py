"""What GitHub knows and does: repositories, workflow files, runs with their jobs, messages."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.github_double import shapes
from tests.github_double.faults import Faults
from tests.github_double.nouns import BUILD_JOB, Artifact, Attempt, Behaviour, File, Job, Repository, Run

NINE = datetime(2026, 1, 4, 9, 0, tzinfo=UTC)


class World:
    """Moves by `advance`; `messages` are what the webhooks would deliver, in their order."""

    def __init__(
        self, faults: Faults | None = None, now: datetime = NINE, base: str = "http://127.0.0.1"
    ) -> None:
        self.now, self.base, self.faults = now, base, faults or Faults()
        self.lock = threading.RLock()
        self.numbers = itertools.count(1000)
        self.repos: list[Repository] = []
        self.runs: dict[int, Run] = {}
        self.artifacts: dict[int, Artifact] = {}
        self.agenda: list[tuple[datetime, int, Callable[[], None]]] = []
        self.messages: list[tuple[str, str, dict[str, Any]]] = []  # guid, event, payload
        self.behaviour: Callable[[Run], Behaviour] = lambda run: Behaviour()
        self.dispatches = 0

    def add_repository(self, full_name: str = "acme/shop") -> Repository:
        repo = Repository(next(self.numbers), full_name)
        self.repos.append(repo)
        return repo

    def add_file(
        self, repo: Repository, name: str = "build_job.yml", text: str = BUILD_JOB, **fields: Any
    ) -> File:
        file = File(next(self.numbers), f".github/workflows/{name}", text, **fields)
        repo.files[file.id] = file
        return file

    def advance(self, seconds: float) -> None:
        """Let time pass; whatever was to happen by then happens, in its order."""
        with self.lock:
            end = self.now + timedelta(seconds=seconds)
            while self.agenda and self.agenda[0][0] <= end:
                self.now, _, act = heapq.heappop(self.agenda)
                act()
            self.now = end

    def leave(self, run: Run, name: str, content: bytes, *, days: float = 90) -> Artifact:
        """Leave a file, as a step of the run that uploads does."""
        end = self.now + timedelta(days=days)
        left = Artifact(next(self.numbers), run, name, content, self.now, end)
        self.artifacts[left.id] = left
        return left

    def start(
        self, repo: Repository, file: File, ref: str, inputs: dict[str, str], event: str = "workflow_dispatch"
    ) -> Run:
        """Start a run, as a dispatch that was taken does, or somebody's push."""
        given = {name: str((spec or {}).get("default") or "") for name, spec in (file.trigger or {}).items()}
        given |= inputs
        title = str(file.data.get("run-name") or file.name)
        for name, value in given.items():
            title = title.replace("${{ inputs." + name + " }}", value)
        run = Run(next(self.numbers), repo, file, ref, title.strip(), given, self.now, event)
        self.runs[run.id] = run
        if self.faults.fails("startup_failure", self.dispatches):
            failed = Attempt(1, self.now, self.now, "completed", "startup_failure")
            run.attempts.append(failed)  # and no message tells of it
        else:
            self._begin(run, Attempt(1, self.now, self.now))
        return run

    def rerun(self, run: Run, *, only_failed: bool = False) -> None:
        """A new attempt; one of the failed jobs only takes over the others with their old times."""
        last = run.attempts[-1]
        attempt = Attempt(last.number + 1, self.now, self.now)
        if only_failed:
            attempt.jobs = [job for job in last.jobs if job.conclusion == "success"]
        self._begin(run, attempt)

    def cancel(self, run: Run) -> None:
        """End it now: what runs is stopped, what waits never starts."""
        attempt = run.attempts[-1]
        if attempt.status == "completed":
            return
        for job in attempt.jobs:
            if job.status != "completed":
                job.status, job.conclusion, job.completed_at = "completed", "cancelled", self.now
                self._tell("workflow_job", "completed", run, attempt, job)
        self._finish(run, attempt, "cancelled")

    def delete(self, run: Run) -> None:
        del self.runs[run.id]

    def rename(self, repo: Repository, full_name: str) -> None:
        repo.old_names.add(repo.full_name)
        repo.full_name = full_name

    def _begin(self, run: Run, attempt: Attempt) -> None:
        run.attempts.append(attempt)
        ways = self.behaviour(run)
        self._tell("workflow_run", "requested", run, attempt)
        names = [name for name in ways.jobs if name not in {job.name for job in attempt.jobs}]
        mine = [
            Job(next(self.numbers), name, self.now, "waiting" if ways.waits else "queued") for name in names
        ]
        attempt.jobs.extend(mine)
        for job in mine:
            self._tell("workflow_job", job.status, run, attempt, job)
        if ways.waits:
            self._later(ways.waits, lambda: self._approve(run, attempt, mine))
        if not self.faults.fails("never_starts", self.dispatches):
            self._later(ways.waits + ways.queue, lambda: self._go(run, attempt, mine))
            half = ways.waits + ways.queue + ways.execution / 2
            early = [job for job in mine if job.name in ways.early]
            if early:
                self._later(half, lambda: self._end_jobs(run, attempt, early, ways))
            self._later(half + ways.execution / 2, lambda: self._end(run, attempt, mine, ways))

    def _approve(self, run: Run, attempt: Attempt, jobs: list[Job]) -> None:
        for job in jobs:
            job.status = "queued"
            self._tell("workflow_job", "queued", run, attempt, job)

    def _go(self, run: Run, attempt: Attempt, jobs: list[Job]) -> None:
        if attempt.status == "completed" or run.id not in self.runs:
            return
        attempt.status, attempt.updated_at = "in_progress", self.now
        for number, job in enumerate(jobs, start=1):
            job.status, job.started_at, job.runner_id = "in_progress", self.now, number
            self._tell("workflow_job", "in_progress", run, attempt, job)
        self._tell("workflow_run", "in_progress", run, attempt)

    def _end(self, run: Run, attempt: Attempt, jobs: list[Job], ways: Behaviour) -> None:
        if attempt.status == "completed" or run.id not in self.runs:
            return
        self._end_jobs(run, attempt, [job for job in jobs if job.status != "completed"], ways)
        self._finish(run, attempt, ways.conclusion)

    def _end_jobs(self, run: Run, attempt: Attempt, jobs: list[Job], ways: Behaviour) -> None:
        for job in jobs:
            job.status, job.completed_at = "completed", self.now
            job.conclusion = ways.conclusions.get(job.name, ways.conclusion)
            self._tell("workflow_job", "completed", run, attempt, job)

    def _finish(self, run: Run, attempt: Attempt, conclusion: str) -> None:
        attempt.status, attempt.conclusion, attempt.updated_at = "completed", conclusion, self.now
        self._tell("workflow_run", "completed", run, attempt)

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        at = self.now + timedelta(seconds=seconds)
        heapq.heappush(self.agenda, (at, next(self.numbers), act))

    def _tell(self, event: str, action: str, run: Run, attempt: Attempt, job: Job | None = None) -> None:
        payload: dict[str, Any] = {
            "action": action,
            "repository": shapes.full_repository(self.base, run.repo),
            "sender": shapes.user(self.base),
        }
        if job:
            payload["workflow_job"] = shapes.job(self.base, run.repo, run, attempt, job)
        else:
            payload["workflow_run"] = shapes.run(self.base, run.repo, run, attempt)
            payload["workflow"] = shapes.workflow(self.base, run.repo, run.file)
        guid = f"guid-{next(self.numbers):09d}"
        if self.faults.chance.random() < self.faults.lose:
            return
        copies = 2 if self.faults.chance.random() < self.faults.double else 1
        self.messages += [(guid, event, payload)] * copies

    def take_messages(self) -> list[tuple[str, str, dict[str, Any]]]:
        """What would have been delivered since the last time, in the order of its delivery."""
        with self.lock:
            taken, self.messages = self.messages, []
        if self.faults.shuffle:
            self.faults.chance.shuffle(taken)
        return taken
