"""The port to CI services, and the door to those that the settings name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from access.models import Project
from tracking.ci.base import (
    CIBusy,
    CILost,
    CIRefused,
    CIService,
    CIUnavailable,
    Finding,
    Message,
    Preflight,
    RemoteJob,
    RemoteRun,
    Seen,
    Sent,
    Unexpected,
)
from tracking.ci.past import Artifact, ArtifactGone, CIHistory, PastRun
from tracking.ci.unknown import Unknown

__all__ = [
    "Artifact",
    "ArtifactGone",
    "CIBusy",
    "CIHistory",
    "CILost",
    "CIRefused",
    "CIService",
    "CIUnavailable",
    "Finding",
    "Message",
    "PastRun",
    "Preflight",
    "RemoteJob",
    "RemoteRun",
    "Seen",
    "Sent",
    "Unexpected",
    "connect",
    "is_known",
    "message_reader",
]


def connect(service: str, project: Project) -> CIService:
    """Build the CI service that `settings.CI_SERVICES` names; where it names none, one that refuses all."""
    spec: Any = settings.CI_SERVICES.get(service)
    if spec is None:
        known = ", ".join(sorted(settings.CI_SERVICES))
        return Unknown(f"There is no service {service!r} here; there are: {known}.")
    built: CIService = import_string(spec["BACKEND"])(project=project, **spec["OPTIONS"])
    return built


def is_known(service: str) -> bool:
    """Whether this installation can ask `service` anything."""
    return service in settings.CI_SERVICES


def message_reader(service: str) -> Callable[[str, bytes], Message | None]:
    """Return what reads the messages of `service`: an event's name and its raw body."""
    reader: Callable[[str, bytes], Message | None] = import_string(settings.CI_SERVICES[service]["MESSAGES"])
    return reader
