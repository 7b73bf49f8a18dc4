"""Tracked runs for scripts that send their workflows themselves.

Works in a plain `python` in the checkout: importing this module sets Django up, and makes the
embedded database where there is none yet.

>>> tracker = TestRunTracker(test_type="performance", environment="aws-ecs")  # doctest: +SKIP
>>> tracker.add_workflow(workflow_id=123456789, workflow_name="build_job")  # doctest: +SKIP
>>> tracker.save_tracking_data()  # doctest: +SKIP
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django
from django.apps import apps
from django.conf import settings

if TYPE_CHECKING:
    from access.models import Project


def _set_up() -> None:
    if apps.ready:
        return
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    if "config" in settings.INSTALLED_APPS:
        from django.utils.module_loading import import_string

        import_string("config.first_start.ensure_database")()


_set_up()

from django.utils import timezone  # noqa: E402 - Django has to be set up first

from access.projects import project_named  # noqa: E402
from tracking import ci, drive, recording, tasks, tracking_file  # noqa: E402
from tracking.identifiers import environment_name  # noqa: E402
from tracking.management.caller import caller_name  # noqa: E402
from tracking.models import TestRun  # noqa: E402


class TestRunTracker:
    """Gives a test run its identifier and records the workflows that are sent with it.

    Args:
        test_type: the first part of the identifier, as in `performance`.
        environment: where it runs; `aws_ecs` and `aws-ecs` are the same.
        project: slug; without one `default`, or the only one there is.

    Raises:
        ValueError: a name that can be part of no identifier or folder.
    """

    __test__ = False

    def __init__(self, test_type: str, environment: str, project: str | None = None) -> None:
        self.test_type = test_type
        self.environment = environment_name(environment)
        self.run = recording.begin_recording(
            _project(project),
            test_type,
            environment,
            triggered_by=caller_name(),
            now=timezone.now(),
            recorder=drive.driver_name("TestRunTracker"),
        )
        self.test_run_id = self.run.test_run_id
        self._write()

    def get_job_name(self) -> str:
        """Return the identifier, to be sent with every workflow as the input `job_name`."""
        return self.test_run_id

    def add_workflow(self, workflow_id: int | None, workflow_name: str) -> None:
        """Record a workflow that was sent; the same id twice counts once."""
        recording.record_workflow(self.run, workflow_id, workflow_name, now=timezone.now())
        self._write()

    def save_tracking_data(self) -> Path:
        """End the recording; return the tracking file.  The run closes when its workflows have."""
        run = TestRun.objects.for_file().get(pk=self.run.pk)
        if run.is_running:
            service = run.environment.service
            can_ask = service != "local" and ci.is_known(service)
            recording.end_recording(run, can_ask=can_ask, now=timezone.now())
            tasks.send(str(run.pk))
        return self._write()

    def _write(self) -> Path:
        run = TestRun.objects.for_file().get(pk=self.run.pk)
        return tracking_file.write(run, settings.DATA, timezone.now())


def load_test_run(test_run_id: str | None, environment: str, project: str | None = None) -> dict[str, Any]:
    """Return the tracking data of a run, or of the latest one in `environment` for None.

    Raises:
        LookupError: there is no such run.
    """
    runs = TestRun.objects.for_file().newest_first().filter(environment__name=environment_name(environment))
    if test_run_id is not None:
        runs = runs.filter(test_run_id=test_run_id)
    if project is not None:
        runs = runs.filter(project__slug=project)
    run = runs.first()
    if run is None:
        raise LookupError(f"There is no test run {test_run_id or ''} in {environment}.".replace("  ", " "))
    return tracking_file.tracking_data(run, timezone.now())


def list_test_runs(environment: str, project: str | None = None) -> list[dict[str, Any]]:
    """Return the tracking data of all runs in `environment`, newest first."""
    runs = TestRun.objects.for_file().newest_first().filter(environment__name=environment_name(environment))
    if project is not None:
        runs = runs.filter(project__slug=project)
    return [tracking_file.tracking_data(run, timezone.now()) for run in runs.iterator(chunk_size=200)]


def _project(slug: str | None) -> Project:
    return project_named(slug or settings.PROJECT or None)
