"""Runs as GitHub really told them, fetched: every job that ran, with the times counted elsewhere."""

import json

import pytest

from executions.sync import Bounds, sync_runs
from tests.factories import make_project
from tests.shared_data import shared_folder
from tracking.ci.github.records import job_record, run_record
from tracking.models import TestRun, WorkflowAttempt

pytestmark = pytest.mark.django_db


class Recorded:
    """A history of one recorded run, which left no files."""

    def __init__(self, folder):
        self.past = run_record(json.loads((folder / "run.json").read_text())).as_past()
        told = json.loads((folder / "jobs.json").read_text())
        self.told = [job_record(job) for job in (told["jobs"] if isinstance(told, dict) else told)]

    def jobs(self, run):
        return self.told

    def artifacts(self, run):
        return []


def test_each_job_that_ran_is_a_run_with_its_times():
    folders = sorted((shared_folder("gha") / "runs").iterdir())
    project = make_project("shop", repository="acme/shop")
    wanted = {}
    for folder in folders:
        history = Recorded(folder)
        done = sync_runs(
            project, [history.past], history, bounds=Bounds(), now=history.past.remote.completed_at
        )
        expected = json.loads((folder / "expected.json").read_text())
        assert (done.jobs, done.problem) == (expected["jobs_ran"], "")
        had_a_runner = {str(job.job_id) for job in history.told if job.runner_id}
        wanted |= {
            f"ci-{expected['run_id']}-{job}": (times["queue"], times["exec"])
            for job, times in expected["per_job"].items()
            if job in had_a_runner  # what another program wrote into the run took no time of a machine
        }

    attempts = WorkflowAttempt.objects.filter(total__isnull=False)
    found = attempts.values_list("workflow__run__test_run_id", "queue", "execution")
    assert {name: (queue, execution) for name, queue, execution in found} == wanted
    assert TestRun.objects.filter(status="running").count() == 0
    assert not TestRun.objects.filter(branch="").exists()
