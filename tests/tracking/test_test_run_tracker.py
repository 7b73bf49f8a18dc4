"""The Python API of scripts that send their workflows themselves."""

import json

import pytest
from django.utils import timezone

from tests.command_line import CommandLine
from tests.factories import make_environment, make_project
from tracking import ci, drive
from tracking.models import Environment, TestDefinition, TestRun
from tracking.test_run_tracker import TestRunTracker, list_test_runs, load_test_run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("data")]


@pytest.fixture(autouse=True)
def _project(monkeypatch):
    monkeypatch.setattr("tracking.tasks.send", lambda run_pk: False)
    make_project("default")


def make_tracker(test_type="performance", environment="aws_ecs", **more):
    return TestRunTracker(test_type=test_type, environment=environment, **more)


def drive_once(run):
    return drive.advance(
        TestRun.objects.for_file().get(pk=run.pk), ci=ci.connect("local", run.project), now=timezone.now()
    )


def test_the_name_of_the_job_is_the_run_that_was_begun():
    tracker = make_tracker()

    run = TestRun.objects.get()
    assert tracker.get_job_name() == run.test_run_id
    assert run.test_run_id.startswith("performance_")
    assert run.status == "running"
    assert run.metadata["source"] == "TestRunTracker"


def test_definition_and_environment_are_made_on_first_use_and_it_is_noted():
    make_tracker()
    make_tracker(environment="aws-ecs")
    make_tracker(environment="production")

    assert set(Environment.objects.values_list("name", "kind")) == {("aws-ecs", "staging"), ("prod", "prod")}
    definition = TestDefinition.objects.get()
    assert (definition.name, definition.steps.count()) == ("performance", 0)
    noted = [run.events.filter(kind="environment").count() for run in TestRun.objects.order_by("started_at")]
    assert noted == [1, 0, 1]


@pytest.mark.parametrize(
    ("test_type", "environment"),
    [("performance", "../../etc"), ("performance", ""), ("a b", "local"), ("../x", "local"), ("", "local")],
)
def test_a_name_that_fits_no_folder_is_refused_and_nothing_is_stored(test_type, environment):
    with pytest.raises(ValueError, match=r"name|test_type"):
        make_tracker(test_type, environment)

    assert not TestRun.objects.exists()
    assert not Environment.objects.exists()


def test_the_file_is_there_from_the_beginning_and_grows(tmp_path):
    tracker = make_tracker()
    path = tmp_path / f"test_results/aws-ecs/tracking/{tracker.get_job_name()}.json"
    assert json.loads(path.read_text())["end_time"] is None

    tracker.add_workflow(workflow_id=123456789, workflow_name="build_job")
    tracker.add_workflow(123456790, "build_job.yml")
    tracker.add_workflow(123456789, "build_job")

    data = json.loads(path.read_text())
    assert data["workflow_ids"] == [123456789, 123456790]
    assert data["workflow_names"] == ["build_job", "build_job"]
    assert tracker.save_tracking_data() == path
    assert json.loads(path.read_text())["end_time"]


def test_saving_twice_changes_nothing():
    tracker = make_tracker()
    tracker.add_workflow(workflow_id=None, workflow_name="deploy")

    first = tracker.save_tracking_data().read_text()

    assert tracker.save_tracking_data().read_text() == first
    assert json.loads(first)["workflow_ids"] == [None]


def test_what_runtrail_did_not_see_is_said():
    tracker = make_tracker()
    tracker.add_workflow(1, "build_job")
    tracker.save_tracking_data()

    run = TestRun.objects.get()
    assert run.status == "passed"
    assert run.reason == "Recorded by a script; Runtrail did not see how its 1 workflow ended"
    assert run.workflow_runs.get().conclusion == "neutral"


def test_nothing_recorded_is_an_error():
    make_tracker().save_tracking_data()

    run = TestRun.objects.get()
    assert (run.status, run.reason) == ("error", "Nothing was recorded.")


def test_a_run_that_has_ended_takes_no_more():
    tracker = make_tracker()
    tracker.save_tracking_data()

    with pytest.raises(ValueError, match="has ended"):
        tracker.add_workflow(1, "build_job")


def test_a_service_that_can_be_asked_is_waited_for(settings):
    settings.CI_SERVICES = {**settings.CI_SERVICES, "github": {}}
    make_environment("aws-ecs", project=make_project("default"), service="github")
    tracker = make_tracker()
    tracker.add_workflow(1, "build_job")
    tracker.save_tracking_data()
    run = TestRun.objects.get()
    assert run.is_running
    assert not drive_once(run)

    run.workflow_runs.update(conclusion="success")
    assert drive_once(run)

    assert TestRun.objects.get().status == "passed"


def test_a_script_that_dies_without_saving_leaves_an_error():
    make_tracker().add_workflow(1, "build_job")
    run = TestRun.objects.get()
    assert not drive_once(run), "its process, this one, is alive"
    here = run.metadata["recorder"].rpartition("@")[2].partition(":")[0]
    run.metadata["recorder"] = f"TestRunTracker@{here}:999999:1"
    run.save()

    assert drive_once(run)

    assert TestRun.objects.get().reason == "The script that recorded it ended without saving its record."


def test_runs_are_listed_newest_first_and_loaded_by_name_or_the_latest():
    first, second = make_tracker(), make_tracker()
    make_tracker(environment="prod")

    listed = list_test_runs("aws_ecs")

    assert [run["test_run_id"] for run in listed] == [second.test_run_id, first.test_run_id]
    assert load_test_run(first.test_run_id, "aws-ecs") == listed[1]
    assert load_test_run(None, "aws-ecs") == listed[0]


@pytest.mark.parametrize("wanted", [None, "performance_20260104_093000_abc123"])
def test_a_run_that_is_not_there_is_a_lookup_error(wanted):
    with pytest.raises(LookupError, match=r"There is no test run.* in aws-ecs"):
        load_test_run(wanted, "aws-ecs")


def test_the_first_documents_lines_work_in_a_plain_python(tmp_path):
    shell = CommandLine(tmp_path, is_new=True)

    printed = shell.python(
        """
from tracking.test_run_tracker import TestRunTracker
tracker = TestRunTracker(
    test_type="performance",    # Test profile name
    environment="aws-ecs"        # Environment name
)
job_name = tracker.get_job_name()
tracker.add_workflow(
    workflow_id=123456789,
    workflow_name="build_job"
)
tracker.save_tracking_data()
from tracking.test_run_tracker import load_test_run, list_test_runs
runs = list_test_runs("aws-ecs")
for run in runs:
    print(f"{run['test_run_id']}: {run['workflow_count']} workflows")
data = load_test_run(job_name, "aws-ecs")
data = load_test_run(None, "aws-ecs")
print(data["workflow_ids"])
""",
        set_up="",
    )

    assert printed.splitlines()[0].endswith(": 1 workflows")
    assert printed.splitlines()[1] == "[123456789]"


def test_threads_of_one_script_take_one_position_after_the_other(tmp_path):
    shell = CommandLine(tmp_path)

    printed = shell.python(
        """
from concurrent.futures import ThreadPoolExecutor
from tracking.test_run_tracker import TestRunTracker, load_test_run
tracker = TestRunTracker("performance", "aws_ecs")
with ThreadPoolExecutor(4) as pool:
    list(pool.map(lambda number: tracker.add_workflow(number % 20 + 1, "build_job"), range(30)))
tracker.save_tracking_data()
print(sorted(load_test_run(None, "aws-ecs")["workflow_ids"]) == list(range(1, 21)))
""",
        set_up="",
    )

    assert printed == "True\n"
