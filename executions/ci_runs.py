"""Runs of CI that Runtrail did not send: each of their jobs becomes a test run."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from access.models import Project
from executions.artifact_names import python_version
from tracking.ci import PastRun, RemoteJob, RemoteRun
from tracking.lifecycle import close_run, status_of
from tracking.models import TestRun, WorkflowRun
from tracking.observe import apply_observation
from tracking.recording import named_definition, named_environment
from tracking.tracker import note

SOURCE = "sync_ci"


class ElsewhereKnown(Exception):
    """Another project has this run already; the message says which."""


def job_run_id(past: PastRun, job: RemoteJob | None) -> str:
    """Return the public name of a job's test run, or of what no job of a run can be named for."""
    return f"ci-{past.number}-{job.job_id}" if job else f"ci-{past.number}"


def sent_by_us(project: Project, past: PastRun) -> TestRun | None:
    """Return the test run that a workflow run belongs to: by its number, or by the tag in its title."""
    row = (
        WorkflowRun.objects.filter(project=project, service="github", github_run_id=past.number)
        .select_related("run")
        .first()
    )
    if row:
        return row.run
    tags = past.remote.title.split()
    found: TestRun | None = TestRun.objects.filter(project=project, test_run_id__in=tags).first()
    return found


def tell_tracked(run: TestRun, past: PastRun, jobs: list[RemoteJob], *, now: datetime) -> None:
    """Write down what a sync learned of a workflow that Runtrail sent and did not see the end of."""
    row = run.workflow_runs.filter(github_run_id=past.number).prefetch_related("attempts").first()
    if row is None or not past.is_over:
        return
    mine = tuple(job for job in jobs if job.attempt in (0, past.remote.attempt))
    # Its title and how it was seen are those of a list; what is written down was asked for.
    seen = replace(
        past.remote,
        dispatch_id=row.dispatch_id,
        github_run_id=past.number,
        jobs=mine,
        title="",
        reason="",
        is_whole=True,
        seen_by="question",
    )
    apply_observation(row, seen, clock="api", now=now)


def keep_run(
    project: Project, past: PastRun, job: RemoteJob | None, *, now: datetime
) -> tuple[TestRun, bool]:
    """Return the test run of a finished job (or, without one, of the whole run), and whether it is new.

    Raises:
        ElsewhereKnown: another project of this repository has it.
    """
    name = job_run_id(past, job)
    for _ in range(2):
        found = TestRun.objects.filter(test_run_id=name).select_related("project").first()
        if found:
            if found.project_id != project.pk:
                raise ElsewhereKnown(f"{name} is already a run of the project {found.project}.")
            return found, False
        try:
            with transaction.atomic():
                return _make(project, past, job, name, now), True
        except IntegrityError:
            continue  # another sync was faster
    raise ElsewhereKnown(f"{name} could not be stored.")


def _make(project: Project, past: PastRun, job: RemoteJob | None, name: str, now: datetime) -> TestRun:
    remote = past.remote
    began = (job.started_at or job.created_at) if job else (remote.run_started_at or remote.created_at)
    ended = job.completed_at if job else remote.completed_at
    started = min(began or now, now)
    environment, _ = named_environment(project, "ci")
    definition = named_definition(project, "ci")
    run = TestRun.objects.create(
        test_run_id=name,
        project=project,
        definition=definition,
        environment=environment,
        space="ci",
        branch=remote.branch,
        commit_sha=remote.commit_sha,
        tree_hash=remote.tree_hash,
        triggered_by=(past.actor or past.event or "GitHub")[:255],
        metadata=_metadata(past, job),
        plan={"test_type": "ci", "service": "github", "steps": [], "follows": "job" if job else "run"},
        started_at=started,
    )
    note(run, "started", f"Fetched from GitHub: {past.workflow}, run {past.number}.", now)
    if job:
        _keep_times(run, past, job, now)
    conclusion = job.conclusion if job else remote.conclusion
    status = status_of([conclusion])
    what = f"The job {job.name}" if job else f"The run {past.number}"
    reason = "" if status == TestRun.Status.PASSED else f"{what} ended as {conclusion} at GitHub."
    close_run(run, status, reason=reason, now=min(max(ended or now, started), now))
    return run


def _keep_times(run: TestRun, past: PastRun, job: RemoteJob, now: datetime) -> None:
    """One workflow with one job: the number of the workflow run is shared by its jobs, so it stays out."""
    row = WorkflowRun.objects.create(
        run=run,
        project_id=run.project_id,
        position=1,
        name=job.name[:255],
        workflow_file=past.path.rsplit("/", 1)[-1],
        due_at=run.started_at,
        sent_at=run.started_at,
        service="github",
        dispatch_id=run.pk.hex,
        dispatch_state="accepted",
    )
    seen = RemoteRun(
        dispatch_id=row.dispatch_id,
        status="completed",
        conclusion=job.conclusion,
        created_at=job.created_at,
        run_started_at=job.created_at,
        completed_at=job.completed_at,
        url=job.url,
        jobs=(job,),
        repository_id=past.remote.repository_id,
    )
    apply_observation(row, seen, clock="api", now=now)


def _metadata(past: PastRun, job: RemoteJob | None) -> dict[str, Any]:
    """What the run was, with the names that seed documents use: platform, python_version."""
    found: dict[str, Any] = {
        "source": SOURCE,
        "workflow": past.workflow,
        "github_run_id": past.number,
        "event": past.event,
        "url": (job.url if job else "") or past.remote.url,
        "attempt": (job.attempt if job else 0) or past.remote.attempt,
    }
    if past.pull_request:
        found["pull_request"] = past.pull_request
    if job:
        found |= {"job": job.name, "platform": _platform(job), "python_version": python_version(job.name)}
    return {name: value for name, value in found.items() if value not in ("", None)}


def _platform(job: RemoteJob) -> str:
    """What the job ran on: its labels, without the one that every own runner has."""
    labels = [label for label in job.labels if label.lower() != "self-hosted"]
    return ", ".join(labels or job.labels) or job.runner_group
