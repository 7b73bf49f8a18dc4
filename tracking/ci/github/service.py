"""GitHub Actions behind the port: what to ask, when, and what it means for our rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from access.models import Project
from tracking.ci.base import CIRefused, CIUnavailable, Finding, Preflight, Seen, Sent
from tracking.ci.github import preflight as before
from tracking.ci.github.answers import NotThere
from tracking.ci.github.budget import Limits
from tracking.ci.github.client import Client
from tracking.ci.github.connection import transport_to
from tracking.ci.github.counting import counted
from tracking.ci.github.diagnosis import diagnosis
from tracking.ci.github.following import Following
from tracking.ci.github.history import History
from tracking.models import CIRepository, WorkflowRun

ANONYMOUS = "There is no token for GitHub: set the project's, or GITHUB_TOKEN, or a GitHub App."
FIRST_VERSION = "2022-11-28"  # the one in which the run's id has to be asked for


class GitHub:
    """The workflows of one project on github.com or an Enterprise server."""

    clock = "api"
    grace = timedelta(minutes=5)
    force_after: timedelta | None = timedelta(seconds=60)
    confirms = True

    def __init__(
        self,
        project: Project,
        *,
        api_url: str,
        version: str,
        token: str,
        app_id: str,
        app_key: str,
        unknown_wait: int,
        redis_url: str,
        limits: dict[str, Any],
    ) -> None:
        self.project, self.version = project, version
        self.limits = Limits(**limits)
        self.resend_after = timedelta(seconds=unknown_wait)
        self.transport = transport_to(
            api_url=api_url,
            version=version,
            token=str(project.github_token or "") or token,
            app_id=app_id,
            app_key=app_key,
            repository=project.repository,
            redis_url=redis_url,
            limits=self.limits,
        )
        self.client = Client(self.transport, project.repository)

    def preflight(self, plan: dict[str, Any], *, now: datetime, for_run: UUID | None = None) -> Preflight:
        if not self.project.repository:
            text = f"The project {self.project} names no repository: set it, as in owner/name."
            return Preflight(faults=(text,))
        if self.transport.credentials.identity == "anonymous":
            return Preflight(faults=(ANONYMOUS,))
        with counted(self.transport, for_run):
            found = before.check(plan, self.client, limits=self.limits)
        if found.checked:
            CIRepository.objects.update_or_create(
                service="github",
                repository_id=found.checked["repository_id"],
                defaults={"full_name": found.checked["repository"]},
            )
        return found

    def dispatch(self, workflow: WorkflowRun, *, now: datetime) -> Sent:
        checked = workflow.run.checked
        file = checked["files"][workflow.workflow_file]
        ours = {"job_name": workflow.run.test_run_id, "dispatch_id": workflow.dispatch_id}
        inputs = {key: _text(value) for key, value in {**workflow.inputs, **ours}.items()}
        inputs = {key: value for key, value in inputs.items() if key in file["inputs"]}
        self._follow_name(checked)
        ask = self.version in ("", FIRST_VERSION) and not checked["enterprise"]
        with counted(self.transport, workflow.run_id):
            try:
                told = self.client.dispatch(file["id"], checked["ref"], inputs, ask_for_id=ask)
            except CIRefused as refusal:
                if not ask or "permitted key" not in str(refusal):
                    raise
                told = self.client.dispatch(file["id"], checked["ref"], inputs, ask_for_id=False)
        number = told.get("workflow_run_id")
        return Sent(
            repository_id=checked["repository_id"],
            github_run_id=number if isinstance(number, int) else None,
            url=str(told.get("html_url") or ""),
        )

    def fetch(self, workflows: Sequence[WorkflowRun], *, now: datetime, confirm: bool = False) -> Seen:
        if not workflows:
            return Seen()
        with counted(self.transport, workflows[0].run_id):
            try:
                following = Following(self.client, self._watch(workflows[0]))
                return following.look(workflows, now=now, confirm=confirm)
            except NotThere:
                # It was there when the run began, so it is about rights; somebody may give them back.
                raise CIUnavailable(f"the token can't see {self.client.name} any more") from None
            except CIRefused as refusal:  # of a question: there is nothing that could be refused for good
                raise CIUnavailable(str(refusal)) from None

    def cancel(self, workflow: WorkflowRun, *, now: datetime, force: bool = False) -> None:
        if workflow.github_run_id:
            self._end(workflow.github_run_id, force=force)

    def cancel_surplus(self, github_run_id: int, *, now: datetime) -> None:
        self._end(github_run_id, force=False)

    def check_connection(self, files: Sequence[str]) -> list[Finding]:
        with counted(self.transport):
            return diagnosis(self.client, files)

    def output(self, workflow: WorkflowRun) -> Path | None:
        return None

    def history(self) -> History:
        if not self.project.repository:
            raise CIRefused(f"The project {self.project} names no repository: set it, as in owner/name.")
        if self.transport.credentials.identity == "anonymous":
            raise CIRefused(ANONYMOUS)
        return History(self.client)

    def _end(self, github_run_id: int, *, force: bool) -> None:
        with counted(self.transport):
            try:
                self.client.cancel(github_run_id, force=force)
            except NotThere:
                return  # it is gone, which is what was wanted

    def _watch(self, workflow: WorkflowRun) -> CIRepository:
        checked = workflow.run.checked
        self._follow_name(checked)
        number = workflow.repository_id or checked.get("repository_id")
        watch = (
            CIRepository.objects.filter(service="github", repository_id=number).first() if number else None
        )
        if watch is None:
            found = self.client.repository()
            watch, _ = CIRepository.objects.get_or_create(
                service="github", repository_id=found.id, defaults={"full_name": found.full_name}
            )
        return watch

    def _follow_name(self, checked: dict[str, Any]) -> None:
        """A repository may have been renamed since; its number tells the name of today."""
        number = checked.get("repository_id")
        watch = (
            CIRepository.objects.filter(service="github", repository_id=number).first() if number else None
        )
        if watch:
            self.client.name = watch.full_name


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
