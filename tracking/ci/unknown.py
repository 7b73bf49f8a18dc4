"""A service that nobody has set up here: it says so before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from tracking.ci.base import CIRefused, RemoteRun, Sent
from tracking.models import WorkflowRun


class Unknown:
    """Stands for a service that the settings do not name, so that a run ends with a plain reason."""

    clock = "api"

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def preflight(self, plan: dict[str, Any]) -> list[str]:
        return [self.reason]

    def dispatch(self, workflow: WorkflowRun, *, now: datetime) -> Sent:
        raise CIRefused(self.reason)

    def fetch(self, workflows: Iterable[WorkflowRun]) -> dict[str, RemoteRun]:
        return {}

    def cancel(self, workflow: WorkflowRun, *, now: datetime) -> None:
        return None

    def output(self, workflow: WorkflowRun) -> Path | None:
        return None
