"""The command that starts a run and follows it, with real jobs."""

import json
import threading
import time

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.tracking.fakes import begin, make_definition, make_environment
from tracking.management.base import COULD_NOT_RUN
from tracking.models import LocalJob, Step, TestRun

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("data")]


def prepare(command=("true",), **step):
    make_definition(command=list(command), **step)
    return make_environment("aws-ecs")


def run_tests(*arguments):
    """Run the command as the shell would; return its exit code."""
    try:
        call_command("run_tests", *arguments)
    except CommandError as problem:
        return problem.returncode
    except SystemExit as end:
        return end.code
    return 0


def test_its_first_lines_name_environment_profile_and_run(capsys):
    prepare()

    assert run_tests("-e", "aws_ecs", "-t", "performance") == 0

    lines = capsys.readouterr().out.splitlines()
    run = TestRun.objects.get()
    assert lines[:3] == [
        "Loading environment: aws_ecs",
        "Starting test profile: performance",
        f"Test Run ID: {run.test_run_id}",
    ]
    assert "Workflows completed: 3/3" in lines
    assert sum(line.startswith("[") for line in lines) == 3, "one line per finished workflow"
    assert "Status: passed" in lines


@pytest.mark.parametrize(
    ("command", "timeout", "code", "status"),
    [
        (["true"], 600, 0, "passed"),
        (["false"], 600, 1, "failed"),
        (["nothing-of-this-name"], 600, 3, "error"),
        (["sleep", "60"], 1, 3, "error"),
    ],
)
def test_its_exit_code_tells_how_the_run_ended(command, timeout, code, status, capsys):
    prepare(command, timeout=timeout, count=1)

    assert run_tests("-e", "aws-ecs", "-t", "performance") == code

    assert TestRun.objects.get().status == status


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-e", "nowhere", "-t", "performance"], "There are: aws-ecs"),
        (["-e", "aws-ecs", "-t", "nothing"], "There are: performance"),
        (["-e", "aws-ecs", "-t", "performance", "-p", "nobody"], "no project 'nobody'"),
        (["-t", "performance"], "-e ENV -t PROFILE"),
        (["--rerun", "performance_20200101_000000_abc123"], "analyze_run --list"),
    ],
)
def test_what_does_not_exist_is_an_error_that_names_what_does_and_stores_nothing(arguments, words):
    prepare()

    with pytest.raises(CommandError, match=words) as problem:
        call_command("run_tests", *arguments)

    assert problem.value.returncode == COULD_NOT_RUN
    assert not TestRun.objects.exists()


def test_a_dry_run_shows_what_would_be_sent_and_stores_nothing(capsys):
    prepare(count=34, spacing=0.5)

    assert run_tests("-e", "aws-ecs", "-t", "performance", "--dry-run") == 0

    assert "34 × true" in capsys.readouterr().out
    assert not TestRun.objects.exists()


def test_the_tracking_file_is_there_while_the_run_goes_on_and_tells_its_end(data):
    prepare(["sh", "-c", "sleep 0.3"], count=2)
    seen = []

    def look():
        while not seen or seen[-1]["end_time"] is None:
            for path in (data / "test_results/aws-ecs/tracking").glob("*.json"):
                seen.append(json.loads(path.read_text()))
            time.sleep(0.02)

    reader = threading.Thread(target=look)
    reader.start()
    run_tests("-e", "aws-ecs", "-t", "performance")
    reader.join()

    first, last = seen[0], seen[-1]
    assert list(last) == [
        "test_run_id",
        "test_type",
        "environment",
        "start_time",
        "end_time",
        "duration_minutes",
        "workflow_count",
        "workflow_ids",
        "workflow_names",
        "metadata",
    ]
    assert first["end_time"] is None
    assert last["workflow_names"] == ["build_job", "build_job"]
    assert last["workflow_ids"] == list(LocalJob.objects.values_list("pk", flat=True))
    assert last["metadata"]["job_name_tag"] == last["test_run_id"]


def test_no_wait_hands_the_run_to_the_workers(capsys):
    prepare()

    assert run_tests("-e", "aws-ecs", "-t", "performance", "--no-wait") == 0

    run = TestRun.objects.get()
    assert run.is_running
    assert run.driver == ""
    assert f"/runs/{run.test_run_id}/" in capsys.readouterr().out


def test_a_rerun_repeats_the_original_even_when_its_definition_has_changed():
    prepare(["true"], count=2)
    run_tests("-e", "aws-ecs", "-t", "performance")
    original = TestRun.objects.get()
    Step.objects.update(command=["false"], count=9)

    assert run_tests("--rerun", original.test_run_id) == 0

    again = TestRun.objects.exclude(pk=original.pk).get()
    assert (again.rerun_of, again.workflow_runs.count(), again.status) == (original, 2, "passed")


def test_json_is_one_document_on_standard_output_and_the_rest_goes_to_standard_error(capsys):
    prepare(count=1)

    run_tests("-e", "aws-ecs", "-t", "performance", "--format", "json")

    said = capsys.readouterr()
    document = json.loads(said.out)
    assert document["status"] == "passed"
    assert document["queue"]["n"] == 1
    assert "Test Run ID:" in said.err


def test_a_run_can_be_cancelled_by_another_command_when_its_driver_is_gone(capsys):
    run = begin(now=timezone.now(), driver="run_tests@elsewhere:1:1", command=["true"])
    TestRun.objects.update(driver_until=run.started_at)

    call_command("cancel_run", run.test_run_id)

    assert f"{run} ended as cancelled." in capsys.readouterr().out
    with pytest.raises(CommandError, match="has ended already, as cancelled"):
        call_command("cancel_run", run.test_run_id)
