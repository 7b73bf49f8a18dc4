"""The local service: a profile's jobs as processes on this machine, a few at a time.

Sending puts a row into the queue; `tracking.runner` gives it a place and a process.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db.models import Q

from access.models import Project
from tracking.ci.base import CIRefused, Finding, Preflight, RemoteJob, RemoteRun, Seen, Sent
from tracking.ci.past import CIHistory
from tracking.job_files import job_folder, recorder_variables
from tracking.models import LocalJob, TestDefinition, WorkflowRun

_STATUS = {"queued": "queued", "claimed": "queued", "running": "in_progress", "done": "completed"}


class LocalProcesses:
    """`folder` holds a sub-folder per job, with its start, end and output."""

    clock = "process"
    resend_after = timedelta(0)  # a dispatch_id has one row, however often it is sent
    grace = timedelta(seconds=60)
    force_after: timedelta | None = None
    confirms = False

    def __init__(self, folder: Path, project: Project | None = None) -> None:
        self.folder = Path(folder)

    def preflight(self, plan: dict[str, Any], *, now: datetime, for_run: UUID | None = None) -> Preflight:
        return Preflight(faults=tuple(_faults(plan)))

    def dispatch(self, workflow: WorkflowRun, *, now: datetime) -> Sent:
        plan = workflow.run.plan
        step = plan["steps"][workflow.step]
        tag = workflow.run.test_run_id
        command = [str(word).replace("{job_name}", tag) for word in step["command"]]
        if not command:
            raise CIRefused("It has no command for the local service.")
        LocalJob.objects.get_or_create(
            dispatch_id=workflow.dispatch_id,
            defaults={
                "name": workflow.name,
                "title": tag,
                "command": command,
                "folder": plan["folder"],
                "variables": self._variables(workflow, tag),
                "time_limit": step["timeout"] or plan["timeout"],
                "created_at": now,
            },
        )
        return Sent()

    def _variables(self, workflow: WorkflowRun, tag: str) -> dict[str, str]:
        run, told = workflow.run, _variables(workflow, tag)
        if run.plan.get("kind") != TestDefinition.SUITE:
            return told
        return {**told, **recorder_variables(self.folder, workflow.dispatch_id, run.space)}

    def fetch(self, workflows: Sequence[WorkflowRun], *, now: datetime, confirm: bool = False) -> Seen:
        wanted = [workflow.dispatch_id for workflow in workflows]
        found: list[RemoteRun] = []
        for begin in range(0, len(wanted), 500):  # SQLite bounds the number of parameters
            jobs = LocalJob.objects.filter(dispatch_id__in=wanted[begin : begin + 500])
            found.extend(_remote(job) for job in jobs)
        return Seen(tuple(found), listed_at=now)

    def cancel(self, workflow: WorkflowRun, *, now: datetime, force: bool = False) -> None:
        job = LocalJob.objects.filter(dispatch_id=workflow.dispatch_id)
        job.filter(Q(cancel_requested_at=None)).open().update(cancel_requested_at=now)
        # A queued one has no process to end; one that a runner claims this very moment is ended by it.
        job.queued().update(
            state="done", conclusion="cancelled", completed_at=now, reason="cancelled before it started"
        )

    def cancel_surplus(self, github_run_id: int, *, now: datetime) -> None:
        """A dispatch_id has one row here; there is never one too many."""

    def check_connection(self, files: Sequence[str]) -> list[Finding]:
        return [Finding(True, "Jobs run as processes on this machine; nothing has to be connected.")]

    def output(self, workflow: WorkflowRun) -> Path | None:
        return job_folder(self.folder, workflow.dispatch_id) / "output.log"

    def history(self) -> CIHistory:
        raise CIRefused("The local service keeps its history here; there is nothing to fetch.")


def _faults(plan: dict[str, Any]) -> list[str]:
    faults = []
    for number, step in enumerate(plan["steps"], start=1):
        if not step["command"]:
            faults.append(f"Step {number} ({step['name']}) has no command for the local service.")
    if not Path(plan["folder"] or "/").is_dir():
        faults.append(f"The folder {plan['folder']} is not on this machine.")
    return faults


def _variables(workflow: WorkflowRun, tag: str) -> dict[str, str]:
    inputs = {f"INPUT_{key.upper()}": str(value) for key, value in workflow.inputs.items()}
    return {**inputs, "JOB_NAME": tag, "RUN_ID": str(workflow.position), "DISPATCH_ID": workflow.dispatch_id}


def _remote(job: LocalJob) -> RemoteRun:
    status = _STATUS[job.state]
    detail = RemoteJob(
        job_id=job.pk,
        name=job.name,
        status=status,
        conclusion=job.conclusion,
        created_at=job.created_at,
        started_at=job.started_at,
        completed_at=job.completed_at,
        runner_id=1 if job.started_at else None,
        runner_name=job.host,
        reason=job.reason,
    )
    return RemoteRun(
        dispatch_id=job.dispatch_id,
        status=status,
        conclusion=job.conclusion,
        title=job.title,
        created_at=job.created_at,
        run_started_at=job.created_at,
        completed_at=job.completed_at,
        reason=job.reason,
        jobs=(detail,),
    )
