"""What tracking asks of a CI service; one file beside this one per service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from tracking.ci.past import CIHistory
from tracking.models import WorkflowRun


class CIUnavailable(Exception):
    """The service did not answer or asked us to wait; trying again may help.

    `retry_after` is in seconds, where the service or our own budget of calls named a time.
    """

    def __init__(self, text: str, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class CIBusy(CIUnavailable):
    """It is not our turn: the budget of calls is used up for the moment.  Nothing was sent."""


class CILost(Exception):
    """It was sent, and the answer was lost: nobody knows whether it arrived."""


class Unexpected(CIUnavailable):
    """It is not what the service promises to send; the message says what is missing."""


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
    setup: float | None = None  # seconds of its execution before its own work; None where nobody tells
    attempt: int = 0  # of its run; 0 where the service does not say


@dataclass(frozen=True, slots=True)
class RemoteRun:
    """A workflow run as the service reports it: one attempt, with all or some of its jobs.

    `completed_at` is the service's stamp of the completion, or of the last change.  A message
    about one job knows nothing of the run: its `status` is empty.
    """

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
    is_whole: bool = True  # `jobs` are all there are
    repository_id: int | None = None
    github_run_id: int | None = None
    seen_by: str = "question"  # message, list or question
    commit_sha: str = ""
    branch: str = ""
    tree_hash: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """What a service told by itself of one workflow run or one of its jobs; `remote` has no dispatch_id."""

    action: str
    repository: str  # owner/name
    path: str  # the workflow's file, where the message tells it
    words: list[str]  # of the title
    remote: RemoteRun


@dataclass(frozen=True, slots=True)
class Seen:
    """What a service answered: of runs it was asked about, and of others that it told at once.

    What was sent before `listed_at` and is not among `runs` was not there at that time.
    """

    runs: tuple[RemoteRun, ...] = ()
    listed_at: datetime | None = None
    has_answered: bool = True  # False where there was nothing to ask


@dataclass(frozen=True, slots=True)
class Preflight:
    """What stands against sending a plan (nothing may), what to know, and what each file declares."""

    faults: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    checked: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check of the connection looked at."""

    is_well: bool
    text: str


@dataclass(frozen=True, slots=True)
class Sent:
    """The service's answer to a dispatch, as far as it gave one."""

    repository_id: int | None = None
    github_run_id: int | None = None
    url: str = ""


class CIService(Protocol):
    """Each method may raise CIUnavailable or CIRefused; all but `dispatch` are safe to repeat."""

    clock: str  # where its stamps come from: a key of tracking.timing.METHODS
    resend_after: timedelta  # a lost workflow is looked for so long; zero: sent twice it starts once
    grace: timedelta  # after a cancel; then the run is closed without waiting for the service
    force_after: timedelta | None  # after a cancel that did not help, ask by force
    confirms: bool  # whether it has to be asked once more before a run closes

    def preflight(self, plan: dict[str, Any], *, now: datetime, for_run: UUID | None = None) -> Preflight:
        """Find out whether all of a plan can be sent, before any of it is."""

    def dispatch(self, workflow: WorkflowRun, *, now: datetime) -> Sent:
        """Start the workflow.

        Raises:
            CILost: it was sent and may have arrived.
            CIUnavailable: it was surely not taken.
        """

    def fetch(self, workflows: Sequence[WorkflowRun], *, now: datetime, confirm: bool = False) -> Seen:
        """Return what the service knows of these workflows; with `confirm` ask whatever it costs."""

    def cancel(self, workflow: WorkflowRun, *, now: datetime, force: bool = False) -> None:
        """Ask the service to end the workflow."""

    def cancel_surplus(self, github_run_id: int, *, now: datetime) -> None:
        """Ask the service to end a run that was started twice."""

    def check_connection(self, files: Sequence[str]) -> list[Finding]:
        """Say what is there and what is missing to send these workflow files; nothing is sent."""

    def output(self, workflow: WorkflowRun) -> Path | None:
        """Return the file with the workflow's output, where this machine has one."""

    def history(self) -> CIHistory:
        """Return what the service remembers of runs, whoever started them.

        Raises:
            CIRefused: it remembers nothing, or can't be asked; the message says what to do.
        """
