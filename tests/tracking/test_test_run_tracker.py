"""The Python API, as its document shows it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from access.models import Project
from tracking.models import Environment, TestRun
from tracking.test_run_tracker import TestRunTracker, list_test_runs, load_test_run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("data")]

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _project():
    Project.objects.create(slug="default", name="Default")


def test_a_script_records_what_it_sent():
    tracker = TestRunTracker(test_type="performance", environment="aws_ecs")

    tracker.add_workflow(workflow_id=123456789, workflow_name="build_job")
    tracker.add_workflow(workflow_id=123456789, workflow_name="build_job")
    tracker.add_workflow(workflow_id=None, workflow_name="deploy")
    path = tracker.save_tracking_data()

    data = json.loads(path.read_text())
    assert data["test_run_id"] == tracker.get_job_name()
    assert data["workflow_ids"] == [123456789, None]
    assert data["environment"] == "aws-ecs"
    assert data["end_time"]


def test_an_environment_is_made_on_first_use():
    TestRunTracker("performance", "aws-ecs")
    TestRunTracker("performance", "production")

    assert dict(Environment.objects.values_list("name", "kind")) == {"aws-ecs": "staging", "prod": "prod"}


def test_runs_are_listed_newest_first_and_loaded_by_name_or_as_the_latest():
    first, second = TestRunTracker("performance", "aws-ecs"), TestRunTracker("smoke", "aws-ecs")

    assert {run["test_run_id"] for run in list_test_runs("aws_ecs")} == {
        first.get_job_name(),
        second.get_job_name(),
    }
    assert load_test_run(first.get_job_name(), "aws-ecs")["test_type"] == "performance"
    assert load_test_run(None, "aws-ecs") == list_test_runs("aws-ecs")[0]
    with pytest.raises(LookupError, match="no test run x in aws-ecs"):
        load_test_run("x", "aws-ecs")


def test_a_recording_of_nothing_is_an_error():
    TestRunTracker("performance", "aws-ecs").save_tracking_data()

    run = TestRun.objects.get()
    assert (run.status, run.reason) == ("error", "No workflow was recorded.")


def test_saving_twice_changes_nothing_and_nothing_can_be_added_after():
    tracker = TestRunTracker("performance", "aws-ecs")
    tracker.add_workflow(1, "build_job")

    assert tracker.save_tracking_data().read_text() == tracker.save_tracking_data().read_text()
    with pytest.raises(ValueError, match="has ended"):
        tracker.add_workflow(2, "build_job")


def test_it_works_in_a_plain_python_without_a_database(tmp_path):
    script = (
        "from tracking.test_run_tracker import TestRunTracker\n"
        "tracker = TestRunTracker(test_type='performance', environment='aws-ecs')\n"
        "tracker.add_workflow(workflow_id=1, workflow_name='build_job')\n"
        "print(tracker.save_tracking_data())\n"
    )
    environment = {"PATH": os.environ["PATH"], "RUNTRAIL_DATA": str(tmp_path), "PYTHONPATH": str(ROOT)}

    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )

    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_relative_to(tmp_path / "test_results/aws-ecs/tracking")
