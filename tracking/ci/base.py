"""What tracking asks of a CI service; one file beside this one per service."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from tracking.models import WorkflowRun


class CIUnavailable(Exception):
    """The service did not answer or asked us to wait; trying again may help."""


class CIRefused(Exception):
    """The service understood and said no; trying again will not help."""


@dataclass(frozen=True, slots=True)
class RemoteJob:
    """A job as the service reports it; stamps are raw."""

    job_id: int
    name: str
    status: str
    conclusion: str = ""
    created_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    runner_id: int | None = None
    runner_name: str = ""
    runner_group: str = ""
    labels: list[str] = field(default_factory=list)
    reason: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class RemoteRun:
    """A workflow run as the service reports it: one attempt with its jobs."""

    dispatch_id: str
    status: str
    conclusion: str = ""
    attempt: int = 1
    title: str = ""
    created_at: datetime | None = None
    run_started_at: datetime | None = None
    completed_at: datetime | None = None
    reason: str = ""
    url: str = ""
    jobs: tuple[RemoteJob, ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """The service's answer to a dispatch, as far as it gave one."""

    repository_id: int | None = None
    github_run_id: int | None = None
    url: str = ""


class CIService(Protocol):
    """Every method is safe to repeat; each may raise CIUnavailable or CIRefused."""

    clock: str  # where its stamps come from: a key of tracking.timing.METHODS

    def preflight(self, plan: dict[str, Any]) -> list[str]:
        """Return what stands against sending this plan, in plain sentences; empty when nothing does."""

    def dispatch(self, workflow: WorkflowRun, *, now: datetime) -> Sent:
        """Start the workflow; asked twice with one dispatch_id, it starts once."""

    def fetch(self, workflows: Iterable[WorkflowRun]) -> dict[str, RemoteRun]:
        """Return what the service knows of these workflows, by dispatch_id."""

    def cancel(self, workflow: WorkflowRun, *, now: datetime) -> None:
        """Ask the service to end the workflow."""

    def output(self, workflow: WorkflowRun) -> Path | None:
        """Return the file with the workflow's output, where this machine has one."""
