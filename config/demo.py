"""The demo: a project whose profiles really run on this machine."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from access.models import Project
from config.first_start import make_project
from tracking import tracker
from tracking.models import Environment, Step, TestDefinition, TestRun

BUILD = ["python", "demo/build_job.py", "--workload"]


def make_demo() -> Project:
    """Return the project `demo` with its environments and profiles; what is there already stays."""
    project = make_project("demo", "Demo")
    Environment.objects.get_or_create(project=project, name="aws-ecs", defaults={"kind": "staging"})
    _definition(
        project,
        "performance",
        "Thirty-four builds: compile, hash, sort and write.",
        [{"workflow": "build_job.yml", "command": [*BUILD, "standard"], "count": 34, "spacing": 0.05}],
    )
    _definition(
        project,
        "suite",
        "A small real pytest suite, module by module.",
        [
            {
                "command": [
                    "python",
                    "-m",
                    "pytest",
                    "-q",
                    "-c",
                    "demo/suite/pytest.ini",
                    f"demo/suite/{module}.py",
                ]
            }
            for module in ("test_prices", "test_cart", "test_text")
        ],
    )
    return project


def start_demo(project: Project, now: datetime) -> TestRun:
    """Start the first tracked run, so that the first page shows a live one."""
    return tracker.start_run(
        project.definitions.get(name="performance"),
        project.environments.get(name="local"),
        triggered_by="first start",
        now=now,
    )


def _definition(project: Project, name: str, description: str, steps: list[dict]) -> None:
    definition, is_new = TestDefinition.objects.get_or_create(
        project=project,
        name=name,
        defaults={
            "test_type": name,
            "description": description,
            "folder": str(settings.BASE_DIR),
            "is_from_shell": True,
        },
    )
    if not is_new:
        return
    for position, step in enumerate(steps, start=1):
        inputs = {"workload_type": "standard"} if "workflow" in step else {}
        Step.objects.create(definition=definition, position=position, inputs=inputs, **step)
