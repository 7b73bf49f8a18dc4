import json

import pytest
from django.utils import timezone

from access.models import AuditEntry
from tests.factories import make_definition, make_environment, make_run
from tracking import drive, recording, tracker
from tracking.management.commands import cancel_run
from tracking.models import LocalJob, TestRun

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("data")]


@pytest.fixture(autouse=True)
def _place(monkeypatch):
    monkeypatch.setattr("tracking.management.commands.cancel_run.WAIT", 15.0)
    monkeypatch.setattr("tracking.tasks.send", lambda run_pk: False)


@pytest.fixture
def cancel(capsys):
    def call(*arguments, code=0):
        try:
            cancel_run.Command().run_from_argv(["manage.py", "cancel_run", *arguments])
            ended = 0
        except SystemExit as end:
            ended = end.code
        done = capsys.readouterr()
        assert ended == code, done.out + done.err
        return done.out if code == 0 else done.err

    return call


def begin(driver=""):
    definition = make_definition(steps=[{"command": ["sleep", "60"], "count": 2}])
    return tracker.start_run(
        definition, make_environment(), triggered_by="me", now=timezone.now(), driver=driver
    )


def test_a_run_that_nobody_drives_is_ended_here_with_its_jobs(cancel):
    run = begin()
    drive_once(run)
    assert LocalJob.objects.count() == 2

    said = cancel(run.test_run_id)

    run.refresh_from_db()
    assert said.startswith(f"{run} ended as cancelled. Cancelled by ")
    assert run.status == "cancelled"
    assert set(LocalJob.objects.values_list("conclusion", flat=True)) == {"cancelled"}
    assert AuditEntry.objects.get().action == "run.cancel"


def drive_once(run):
    from tracking import ci

    drive.advance(TestRun.objects.get(pk=run.pk), ci=ci.connect("local", run.project), now=timezone.now())


def test_the_driver_of_a_run_is_left_to_end_it(cancel, monkeypatch):
    monkeypatch.setattr("tracking.management.commands.cancel_run.WAIT", 0.3)
    run = begin(driver="worker@elsewhere:1:1")

    said = cancel(run.test_run_id)

    run.refresh_from_db()
    assert said == f"{run} is being cancelled; its driver ends what still runs.\n"
    assert run.cancel_requested_at
    assert run.driver == "worker@elsewhere:1:1"


def test_a_driver_that_is_gone_is_not_waited_for(cancel):
    here = drive.driver_name("run_tests").rpartition("@")[2].partition(":")[0]
    run = begin(driver=f"run_tests@{here}:999999:1")

    assert "ended as cancelled" in cancel(run.test_run_id)


def test_a_run_that_has_ended_is_left_as_it_is(cancel):
    run = make_run(status="passed")

    assert f"{run} has ended already, as passed." in cancel(run.test_run_id, code=1)
    assert not AuditEntry.objects.exists()


def test_an_unknown_run_is_told_with_what_to_do(cancel):
    assert "`analyze_run --list` shows" in cancel("performance_20260104_093000_abc123", code=1)
    assert "the following arguments are required: ID" in cancel(code=2)


def test_a_recorded_run_can_be_cancelled_though_its_workflows_can_not(cancel):
    run = recording.begin_recording(
        make_environment().project, "performance", "local", triggered_by="me", now=timezone.now()
    )
    recording.record_workflow(run, 123, "build_job", now=timezone.now())

    assert "ended as cancelled" in cancel(run.test_run_id)
    assert "Runtrail can't end it" in run.workflow_runs.get().reason


def test_a_program_reads_the_status(cancel):
    run = begin()

    answer = json.loads(cancel(run.test_run_id, "--format", "json"))

    assert answer["status"] == "cancelled"
    assert answer["test_run_id"] == run.test_run_id
