"""The environments that every new project has."""

from __future__ import annotations

from access.models import Project
from tracking.models import Environment


def give_environments(project: Project) -> None:
    """Make dev, staging, prod, local and ci where `project` does not have them."""
    for kind in Environment.Kind.values:
        Environment.objects.get_or_create(project=project, name=kind, defaults={"kind": kind})
