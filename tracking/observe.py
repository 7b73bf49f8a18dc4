"""Write down what a CI service reports of a workflow; the order in which it reports does not matter.

Messages come late, twice, out of order or never.  So an observation is merged, not followed: each
attempt and each job keeps the furthest that was ever seen of it, and the same observations lead to
the same rows in any order.
"""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from tracking.ci import RemoteJob, RemoteRun
from tracking.lifecycle import reopen_run
from tracking.models import TestRun, WorkflowAttempt, WorkflowJob, WorkflowRun
from tracking.timing import executed, time_attempt, time_job
from tracking.tracker import note

# A later observation may not take a workflow back; `waiting` may become `queued` again.
_STAGE = {"": 0, "requested": 1, "waiting": 1, "pending": 1, "queued": 1, "in_progress": 2, "completed": 3}


def apply_observation(workflow: WorkflowRun, remote: RemoteRun, *, clock: str, now: datetime) -> bool:
    """Bring the rows of `workflow` to what `remote` says; True if something changed.

    `workflow.attempts` may be prefetched: what is no news then costs no query.
    """
    if not _may_be_news(workflow, remote):
        return False
    try:
        with transaction.atomic():
            # Two workers may hold two messages about one workflow.
            row = (
                WorkflowRun.objects.select_for_update(of=("self",)).select_related("run").get(pk=workflow.pk)
            )
            attempt, is_new = _attempt(row, remote.attempt)
            before = _state(row, attempt)
            jobs_changed = _merge_jobs(attempt, remote, clock=clock)
            _merge_attempt(attempt, remote, clock=clock, now=now)
            _merge_workflow(row, remote, now=now)
            return is_new or jobs_changed or before != _state(row, attempt)
    except IntegrityError:
        # The workflow run has a row already: somebody recorded it by hand, or it was adopted twice.
        note(workflow.run, "conflict", f"{workflow}: its run is already recorded elsewhere.", now)
        return False


def _may_be_news(workflow: WorkflowRun, remote: RemoteRun) -> bool:
    known = next((row for row in workflow.attempts.all() if row.number == remote.attempt), None)
    if known is None or workflow.attempt < remote.attempt:
        return True
    if known.is_whole and known.status == "completed" and workflow.conclusion:
        return False
    if remote.github_run_id and remote.github_run_id != workflow.github_run_id:
        return True
    if _stage(remote.status) < _stage(known.status) and not remote.jobs:
        return False
    if remote.status == "completed" and remote.is_whole and not known.is_whole:
        return True
    first_job_at = min((job.started_at for job in remote.jobs if job.started_at), default=None)
    seen = (known.status, known.conclusion, known.first_job_at)
    return not remote.is_whole or seen != (remote.status, remote.conclusion, first_job_at)


def _attempt(workflow: WorkflowRun, number: int) -> tuple[WorkflowAttempt, bool]:
    return WorkflowAttempt.objects.get_or_create(workflow=workflow, number=number)


def _state(row: WorkflowRun, attempt: WorkflowAttempt) -> tuple[object, ...]:
    return (
        *(row.attempt, row.conclusion, row.github_run_id, row.visible_tag, row.dispatch_state),
        *(attempt.status, attempt.conclusion, attempt.is_whole, attempt.first_job_at, attempt.completed_at),
    )


def _merge_jobs(attempt: WorkflowAttempt, remote: RemoteRun, *, clock: str) -> bool:
    if not remote.jobs:
        return False
    known = {job.job_id: job for job in attempt.jobs.all()}
    changed = False
    for job in remote.jobs:
        row = known.get(job.job_id)
        if row is None:
            row = WorkflowJob(attempt=attempt, job_id=job.job_id)
        elif _stage(job.status) < _stage(row.status) or row.status == "completed":
            continue
        before = (row.pk, row.status, row.conclusion, row.started_at, row.runner_name)
        _write_job(row, job, remote.run_started_at or attempt.run_started_at, clock=clock)
        changed |= before != (row.pk, row.status, row.conclusion, row.started_at, row.runner_name)
    return changed


def _merge_attempt(attempt: WorkflowAttempt, remote: RemoteRun, *, clock: str, now: datetime) -> None:
    status = remote.status
    if not status and any(_stage(job.status) > 1 and job.runner_id for job in remote.jobs):
        status = "in_progress"  # a job runs, so its workflow does, whatever came of it so far
    if attempt.status != "completed" and _stage(status) >= max(_stage(attempt.status), 1):
        attempt.status = status
    attempt.created_at = attempt.created_at or remote.created_at
    attempt.run_started_at = attempt.run_started_at or remote.run_started_at
    jobs = list(attempt.jobs.all())
    begun = [job.started_at for job in jobs if job.started_at and job.runner_id and job.status != "queued"]
    attempt.first_job_at = min(begun, default=None)
    if status == "completed":
        attempt.conclusion = attempt.conclusion or remote.conclusion or "failure"
        stamps = [stamp for stamp in (attempt.reported_at, remote.completed_at) if stamp]
        attempt.reported_at = min(stamps, default=now)
        attempt.is_whole = attempt.is_whole or remote.is_whole
    if attempt.status == "completed" and attempt.is_whole:
        _time(attempt, jobs, clock=clock)
    attempt.save()


def _time(attempt: WorkflowAttempt, jobs: list[WorkflowJob], *, clock: str) -> None:
    ran = [job for job in jobs if executed(job, attempt.run_started_at)]
    ends = [job.completed_at for job in ran or jobs if job.completed_at]
    attempt.completed_at = max(ends, default=attempt.reported_at)
    for job in jobs:  # a job may have been told before its attempt's start was
        times = time_job(job, attempt.run_started_at, clock=clock)
        if (job.queue, job.execution, job.total) != (times.queue, times.execution, times.total):
            job.queue, job.execution, job.total = times.queue, times.execution, times.total
            job.method, job.quality = times.method, times.quality
            job.save(update_fields=["queue", "execution", "total", "method", "quality"])
    times = time_attempt(
        jobs, run_started_at=attempt.run_started_at, completed_at=attempt.completed_at, clock=clock
    )
    attempt.queue, attempt.execution, attempt.total = times.queue, times.execution, times.total
    attempt.method, attempt.quality = times.method, times.quality


def _merge_workflow(row: WorkflowRun, remote: RemoteRun, *, now: datetime) -> None:
    was, latest = row.conclusion, row.attempt
    row.attempt = max(row.attempt, remote.attempt)
    row.github_run_id = row.github_run_id or remote.github_run_id
    row.repository_id = row.repository_id or remote.repository_id
    if row.dispatch_state in ("sending", "unknown"):
        row.dispatch_state = "accepted"
    row.reason = remote.reason or row.reason
    row.visible_tag = remote.title or row.visible_tag
    row.url = remote.url or row.url
    row.seen_at, row.seen_by = now, remote.seen_by
    # Late news of what was given up may say how it ended; only a re-run takes an end back.
    is_rerun = row.attempt > max(latest, 1)
    row.conclusion = _conclusion(row) or ("" if is_rerun else was)
    row.save()
    if remote.commit_sha and not row.run.commit_sha:
        _say_what_was_tested(row.run, remote)
    if was and is_rerun:
        note(row.run, "attempt", f"{row} was run again: attempt {row.attempt} has begun.", now)
        reopen_run(row.run, now=now)


def _say_what_was_tested(run: TestRun, remote: RemoteRun) -> None:
    """Nobody said at the start which commit it would be; the service knows."""
    found = {"commit_sha": remote.commit_sha, "tree_hash": run.tree_hash or remote.tree_hash}
    TestRun.objects.filter(pk=run.pk, commit_sha="").update(**found, branch=run.branch or remote.branch)


def _conclusion(row: WorkflowRun) -> str:
    """The latest attempt decides, once nothing more is to be learned of any of them."""
    attempts = list(row.attempts.all())
    if len(attempts) < row.attempt or not all(one.is_whole and one.conclusion for one in attempts):
        return ""
    return max(attempts, key=lambda one: one.number).conclusion


def _write_job(row: WorkflowJob, job: RemoteJob, attempt_started_at: datetime | None, *, clock: str) -> None:
    times = time_job(job, attempt_started_at, clock=clock)
    row.name, row.status, row.conclusion = job.name, job.status, job.conclusion
    row.created_at, row.started_at, row.completed_at = job.created_at, job.started_at, job.completed_at
    row.runner_id, row.runner_name, row.runner_group = job.runner_id, job.runner_name, job.runner_group
    row.labels, row.reason, row.url, row.setup = job.labels, job.reason, job.url, job.setup
    row.queue, row.execution, row.total = times.queue, times.execution, times.total
    row.method, row.quality = times.method, times.quality
    row.save()


def _stage(status: str) -> int:
    return _STAGE.get(status, 1)
