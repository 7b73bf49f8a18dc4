"""A service that nobody has set up here: it says so before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from tracking.ci.base import CIRefused, Finding, Preflight, Seen, Sent
from tracking.ci.past import CIHistory
from tracking.models import WorkflowRun


class Unknown:
    """Stands for a service that the settings do not name, so that a run ends with a plain reason."""

    clock = "api"
    resend_after = timedelta(0)
    grace = timedelta(0)
    force_after: timedelta | None = None
    confirms = False

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def preflight(self, plan: dict[str, Any], *, now: datetime, for_run: UUID | None = None) -> Preflight:
        return Preflight(faults=(self.reason,))

    def dispatch(self, workflow: WorkflowRun, *, now: datetime) -> Sent:
        raise CIRefused(self.reason)

    def fetch(self, workflows: Sequence[WorkflowRun], *, now: datetime, confirm: bool = False) -> Seen:
        return Seen()

    def cancel(self, workflow: WorkflowRun, *, now: datetime, force: bool = False) -> None:
        return None

    def cancel_surplus(self, github_run_id: int, *, now: datetime) -> None:
        return None

    def check_connection(self, files: Sequence[str]) -> list[Finding]:
        return [Finding(False, self.reason)]

    def output(self, workflow: WorkflowRun) -> Path | None:
        return None

    def history(self) -> CIHistory:
        raise CIRefused(self.reason)
