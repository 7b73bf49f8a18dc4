"""A stock of runs of the size that a team has after a year, made straight into the tables."""

from __future__ import annotations

import random
import uuid
from datetime import datetime, timedelta

from django.db import transaction

from analysis import sketches
from config.demo import make_demo
from tracking.identifiers import new_test_run_id
from tracking.models import RunTiming, TestRun, WorkflowAttempt, WorkflowJob, WorkflowRun
from tracking.rollups import PARTS, recount_day

WORKFLOWS = 34
AT_ONCE = 250  # runs written together


def fill(count: int, now: datetime, seed: int = 1) -> None:
    """Write `count` ended runs of 34 workflows each, and one that goes on, 13 minutes apart."""
    chance = random.Random(seed)
    project = make_demo()
    definitions = list(project.definitions.all())
    places = list(project.environments.filter(name__in=["local", "aws-ecs"]))
    for first in range(0, count, AT_ONCE):
        runs = [
            _run(chance, definitions, places, now - timedelta(minutes=13 * number, seconds=240))
            for number in range(first, min(first + AT_ONCE, count))
        ]
        if first == 0:
            runs[0].status, runs[0].completed_at, runs[0].reason = "running", None, ""
        TestRun.objects.bulk_create(runs)
        _workflows(chance, runs)
    seen = set()
    for run in TestRun.objects.ended().select_related("definition", "environment", "project").iterator():
        key = (run.definition_id, run.environment_id, run.started_at.date())
        if key not in seen:
            seen.add(key)
            with transaction.atomic():  # the day is locked while it is counted
                recount_day(run)


def _run(chance, definitions, places, at: datetime) -> TestRun:
    definition = chance.choice(definitions)
    status = chance.choices(["passed", "failed", "error"], [90, 9, 1])[0]
    return TestRun(
        test_run_id=new_test_run_id(definition.test_type, at),
        project_id=definition.project_id,
        definition=definition,
        environment=chance.choice(places),
        status=status,
        reason="" if status == "passed" else "2 of 34 workflows did not pass",
        triggered_by=chance.choice(["ada", "ci-pipeline"]),
        branch=chance.choice(["main", "topic"]),
        commit_sha=f"{chance.getrandbits(160):040x}",
        plan={
            "test_type": definition.test_type,
            "version": 1,
            "service": "local",
            "timeout": 3600,
            "steps": [],
        },
        started_at=at,
        completed_at=at + timedelta(seconds=200),
    )


def _workflows(chance, runs: list[TestRun]) -> None:
    workflows, attempts, jobs, timings = [], [], [], []
    for run in runs:
        times = {part: [] for part in PARTS}
        for position in range(1, WORKFLOWS + 1):
            is_open = run.is_running and position > 20
            workflow = WorkflowRun(
                run=run,
                project_id=run.project_id,
                position=position,
                name="build_job",
                due_at=run.started_at,
                sent_at=run.started_at,
                service="local",
                dispatch_id=uuid.UUID(int=chance.getrandbits(128)).hex,
                dispatch_state="accepted",
                attempt=1,
                conclusion="" if is_open else "success",
                visible_tag=run.test_run_id,
            )
            queue, execution = position * 4.0, chance.gauss(30, 4)
            stamps = _stamps(run.started_at, queue, execution, is_open)
            attempt = WorkflowAttempt(workflow=workflow, number=1, **stamps)
            workflows.append(workflow)
            attempts.append(attempt)
            jobs.append(_job(attempt, position))
            for part, value in zip(PARTS, (queue, execution, queue + execution), strict=True):
                times[part].append(value)
        if not run.is_running:
            timings.append(_timing(run, times))
    WorkflowRun.objects.bulk_create(workflows, batch_size=2000)
    WorkflowAttempt.objects.bulk_create(attempts, batch_size=2000)
    WorkflowJob.objects.bulk_create(jobs, batch_size=2000)
    RunTiming.objects.bulk_create(timings)


def _stamps(at: datetime, queue: float, execution: float, is_open: bool) -> dict:
    if is_open:
        return {"status": "queued", "created_at": at, "run_started_at": at}
    begun = at + timedelta(seconds=queue)
    return {
        "status": "completed",
        "conclusion": "success",
        "created_at": at,
        "run_started_at": at,
        "first_job_at": begun,
        "completed_at": begun + timedelta(seconds=execution),
        "queue": queue,
        "execution": execution,
        "total": queue + execution,
        "method": "process",
        "quality": "exact",
    }


def _job(attempt: WorkflowAttempt, job_id: int) -> WorkflowJob:
    same = ("status", "conclusion", "created_at", "completed_at", *PARTS, "method", "quality")
    return WorkflowJob(
        attempt=attempt,
        job_id=job_id,
        name="build_job",
        started_at=attempt.first_job_at,
        runner_id=1,
        runner_name="bench",
        **{name: getattr(attempt, name) for name in same},
    )


def _timing(run: TestRun, times: dict[str, list[float]]) -> RunTiming:
    figures = {f"{part}_sum": sum(values) for part, values in times.items()}
    packed = {f"{part}_sketch": sketches.sketch(values) for part, values in times.items()}
    return RunTiming(run=run, timed=WORKFLOWS, **figures, **packed)
