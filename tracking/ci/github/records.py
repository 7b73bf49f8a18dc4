"""GitHub's JSON as our own records; what an older or newer server leaves out or adds does no harm.

Source of the fields: GitHub's API description, schemas `workflow-run`, `job`, `webhook-workflow-run-*`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from tracking.ci.base import Message, RemoteJob, RemoteRun, Unexpected
from tracking.ci.past import Artifact, PastRun

SETTING_UP = {"Set up job", "Set up runner", "Initialize containers"}  # the runner's own steps


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One attempt of a workflow run, as lists, questions and messages give it."""

    id: int
    repository_id: int | None
    repository: str  # owner/name
    workflow_id: int | None
    path: str  # .github/workflows/build_job.yml
    name: str
    title: str
    event: str
    status: str
    conclusion: str
    attempt: int
    created_at: datetime | None
    run_started_at: datetime | None
    updated_at: datetime | None
    url: str
    head_sha: str
    head_branch: str
    tree_id: str
    actor: str = ""
    pull_request: int | None = None

    def as_past(self) -> PastRun:
        """The same for those who ask for what happened."""
        return PastRun(
            number=self.id,
            workflow=self.name,
            path=self.path,
            event=self.event,
            actor=self.actor,
            pull_request=self.pull_request,
            remote=self.as_remote("", seen_by="list"),
        )

    def as_remote(
        self, dispatch_id: str, *, seen_by: str, jobs: Iterable[RemoteJob] | None = None
    ) -> RemoteRun:
        """The same for `tracking`; without `jobs` nothing is said about them."""
        startup = self.status == "completed" and self.conclusion == "startup_failure"
        return RemoteRun(
            dispatch_id=dispatch_id,
            status=self.status,
            conclusion=self.conclusion,
            attempt=self.attempt,
            title=self.title,
            # Of a later attempt only the start is known here: `created_at` is the first one's.
            created_at=self.created_at if self.attempt == 1 else self.run_started_at,
            run_started_at=self.run_started_at or (self.created_at if self.attempt == 1 else None),
            completed_at=self.updated_at if self.status == "completed" else None,
            reason="GitHub could not start it: its workflow file is not valid." if startup else "",
            url=self.url,
            jobs=tuple(jobs or ()),
            is_whole=jobs is not None or startup,  # what could not start has no jobs
            repository_id=self.repository_id,
            github_run_id=self.id,
            seen_by=seen_by,
            commit_sha=self.head_sha,
            branch=self.head_branch,
            tree_hash=self.tree_id,
        )


def run_record(found: Any) -> RunRecord:
    """Read a `workflow-run`.

    Raises:
        Unexpected: it has no id.
    """
    data = _mapping(found, "a workflow run")
    repository = _part(data, "repository")
    return RunRecord(
        id=_whole(data.get("id"), "id of a workflow run"),
        repository_id=_maybe_whole(repository.get("id")),
        repository=_text(repository.get("full_name")),
        workflow_id=_maybe_whole(data.get("workflow_id")),
        path=_text(data.get("path")).partition("@")[0],
        name=_text(data.get("name")),
        title=_text(data.get("display_title")),
        event=_text(data.get("event")),
        status=_text(data.get("status"))[:40],
        conclusion=_text(data.get("conclusion"))[:40],
        attempt=_attempt(data) or 1,
        created_at=stamp(data.get("created_at")),
        run_started_at=stamp(data.get("run_started_at")),
        updated_at=stamp(data.get("updated_at")),
        url=_text(data.get("html_url")),
        head_sha=_text(data.get("head_sha"))[:40],
        head_branch=_text(data.get("head_branch")),
        tree_id=_text(_part(data, "head_commit").get("tree_id"))[:40],
        actor=_text(_part(data, "triggering_actor").get("login") or _part(data, "actor").get("login")),
        pull_request=_pull_request(data.get("pull_requests")),
    )


def job_record(found: Any) -> RemoteJob:
    """Read a `job`.

    Raises:
        Unexpected: it has no id.
    """
    data = _mapping(found, "a job")
    labels = data.get("labels")
    return RemoteJob(
        job_id=_whole(data.get("id"), "id of a job"),
        name=_text(data.get("name")),
        status=_text(data.get("status"))[:40],
        conclusion=_text(data.get("conclusion"))[:40],
        created_at=stamp(data.get("created_at")),
        started_at=stamp(data.get("started_at")),
        completed_at=stamp(data.get("completed_at")),
        runner_id=_maybe_whole(data.get("runner_id")) or None,  # GitHub gives 0 before it has one
        runner_name=_text(data.get("runner_name")),
        runner_group=_text(data.get("runner_group_name")),
        labels=[_text(label) for label in labels] if isinstance(labels, list) else [],
        url=_text(data.get("html_url"))[:500],
        setup=_setup(data.get("steps")),
        attempt=_attempt(data),
    )


def artifact_record(found: Any) -> Artifact:
    """Read an `artifact`.

    Raises:
        Unexpected: it has no id.
    """
    data = _mapping(found, "an artifact")
    return Artifact(
        number=_whole(data.get("id"), "id of an artifact"),
        name=_text(data.get("name")),
        size=_maybe_whole(data.get("size_in_bytes")) or 0,
        created_at=stamp(data.get("created_at")),
        expires_at=stamp(data.get("expires_at")),
        is_expired=data.get("expired") is True,
        digest=_text(data.get("digest")),
    )


def message(event: str, body: bytes) -> Message | None:
    """Read a webhook's payload; None for events that say nothing of workflow runs.

    Raises:
        Unexpected: it is no JSON, or not the JSON that the event's name promises.
    """
    if event not in ("workflow_run", "workflow_job"):
        return None
    try:
        data = _mapping(json.loads(body), "the payload")
    except (ValueError, RecursionError):
        raise Unexpected("The body is no JSON.") from None
    repository = _mapping(data.get("repository"), "repository")
    place, name = _maybe_whole(repository.get("id")), _text(repository.get("full_name"))
    if event == "workflow_run":
        run = run_record(data.get("workflow_run"))
        remote = replace(run.as_remote("", seen_by="message"), repository_id=place)
        return Message(_text(data.get("action")), name, run.path, run.title.split(), remote)
    found = _mapping(data.get("workflow_job"), "workflow_job")
    remote = RemoteRun(
        dispatch_id="",
        status="",
        attempt=_attempt(found) or 1,
        jobs=(job_record(found),),
        is_whole=False,
        repository_id=place,
        github_run_id=_whole(found.get("run_id"), "run_id of a job"),
        seen_by="message",
    )
    return Message(_text(data.get("action")), name, "", [], remote)


def stamp(text: Any) -> datetime | None:
    """Read a time with any offset; None for what is none (GitHub has sent 0001-01-01 for "never")."""
    if not isinstance(text, str) or not text or text.startswith("0001-"):
        return None
    try:
        read = datetime.fromisoformat(text)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _setup(steps: Any) -> float | None:
    """Seconds that the runner needed for itself, to the second: its own steps come before the job's."""
    seconds = None
    for step in steps if isinstance(steps, list) else []:
        name = _text(step.get("name")) if isinstance(step, dict) else ""
        if name not in SETTING_UP:
            break
        begun, ended = stamp(step.get("started_at")), stamp(step.get("completed_at"))
        if begun is None or ended is None:
            return None
        seconds = (seconds or 0.0) + max((ended - begun).total_seconds(), 0.0)
    return seconds


def _mapping(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Unexpected(f"GitHub sent no object for {what}.")
    return value


def _part(data: dict[str, Any], key: str) -> dict[str, Any]:
    return found if isinstance(found := data.get(key), dict) else {}


def _pull_request(found: Any) -> int | None:
    first = found[0] if isinstance(found, list) and found else None
    return _maybe_whole(first.get("number")) if isinstance(first, dict) else None


def _whole(value: Any, what: str) -> int:
    if (number := _maybe_whole(value)) is None:
        raise Unexpected(f"GitHub sent no number for the {what}.")
    return number


def _maybe_whole(value: Any, limit: int = 2**63) -> int | None:
    return value if type(value) is int and abs(value) < limit else None


def _attempt(data: dict[str, Any]) -> int:
    """The number of an attempt; 0 where there is none that a row can have."""
    return max(_maybe_whole(data.get("run_attempt"), 2**15) or 0, 0)


def _text(value: Any) -> str:
    text = value[:255].replace("\0", "") if isinstance(value, str) else ""
    return text.encode("utf-8", "replace").decode()
