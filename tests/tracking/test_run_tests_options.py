"""What run_tests does with its options, seen from inside one process."""

import errno
import json
import subprocess

import pytest
from django.db import OperationalError
from django.utils import timezone

from tests.factories import make_definition, make_environment, make_project
from tracking import tracker
from tracking.management.commands.run_tests import Command
from tracking.models import Environment, LocalJob, RunEvent, TestRun

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("data")]
RUN = ["-e", "local", "-t", "performance"]


@pytest.fixture(autouse=True)
def _place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tracking.management.driving.PATIENCE", 0.1)


@pytest.fixture
def profile():
    make_environment()
    return make_definition(
        steps=[{"command": ["true", "{job_name}"], "count": 2, "spacing": 0.5, "inputs": {"size": "small"}}]
    )


@pytest.fixture
def run_tests(capsys):
    def call(*arguments, code=0):
        try:
            Command().run_from_argv(["manage.py", "run_tests", *arguments])
            ended = 0
        except SystemExit as end:
            ended = end.code
        done = capsys.readouterr()
        assert ended == code, done.out + done.err
        assert "Traceback" not in done.err
        return done

    return call


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-e", "moon", "-t", "performance"], "There are: local."),
        (["-e", "local", "-t", "moon"], "There are: performance."),
        ([*RUN, "-p", "moon"], "There are: demo."),
        (["-e", "local"], "run_tests -e ENV -t PROFILE"),
        (["--rerun", "moon"], "An id looks like performance_20260104_093000_abc123."),
        (["--rerun", "quick_20260104_093000_abc123"], "`analyze_run --list` shows the ones there are."),
        ([*RUN, "--commit", "main"], "--commit wants a commit's hash"),
        ([*RUN, "--branch", "b" * 256], "--branch wants"),
        (["--moon"], "unrecognized arguments: --moon"),
        ([*RUN, "--format", "xml"], "invalid choice"),
    ],
)
def test_what_can_not_run_is_told_with_what_there_is_and_nothing_is_stored(
    run_tests, profile, arguments, words
):
    done = run_tests(*arguments, code=3)

    assert words in done.err
    assert not TestRun.objects.exists()
    assert not RunEvent.objects.exists()


def test_a_profile_of_another_project_is_pointed_to(run_tests, profile):
    make_project("default")
    make_environment(project=make_project("default"))

    assert "demo has one: add --project demo." in run_tests(*RUN, code=3).err


def test_a_definition_that_may_run_no_commands_here_is_refused(run_tests, profile):
    profile.is_from_shell = False
    profile.save()

    assert "RUNTRAIL_LOCAL_COMMANDS=1" in run_tests(*RUN, code=3).err
    assert not TestRun.objects.exists()


def test_a_dry_run_shows_all_and_stores_nothing(run_tests, profile):
    said = run_tests(*RUN, "--dry-run").out

    assert "Would send 2 workflows to local:" in said
    assert "2 × true 'performance_<date>_<time>_<hex6>'" in said
    assert "inputs: size=small, job_name=performance_<date>_<time>_<hex6>" in said
    assert "0 to 0.5 s after the start, 0.5 s apart, any number at once" in said
    assert "Test Run ID" not in said
    assert not TestRun.objects.exists()


def test_a_dry_run_for_programs_gives_each_start(run_tests, profile):
    plan = json.loads(run_tests(*RUN, "--dry-run", "--format", "json").out)

    assert plan["workflow_count"] == 2
    assert plan["steps"][0]["start_offsets"] == [0.0, 0.5]
    assert plan["steps"][0]["inputs"]["job_name"] == plan["job_name"]
    assert plan["faults"] == []


def test_a_dry_run_says_what_stands_against_it(run_tests, profile):
    profile.folder = "/no/such/folder"
    profile.save()

    assert "/no/such/folder is not on this machine" in run_tests(*RUN, "--dry-run", code=3).err


def test_a_rerun_repeats_the_plan_of_its_run(run_tests, profile):
    environment = Environment.objects.get()
    first = tracker.start_run(profile, environment, triggered_by="me", now=timezone.now())
    profile.steps.update(count=7)

    said = run_tests("--rerun", first.test_run_id, "-e", "local").out

    again = TestRun.objects.exclude(pk=first.pk).get()
    assert f"Test Run ID: {again}" in said
    assert again.rerun_of == first
    assert again.workflow_runs.count() == 2


@pytest.mark.parametrize("more", [["-e", "prod"], ["-t", "moon"], ["--branch", "b"], ["--commit", "abcdef1"]])
def test_a_rerun_of_something_else_is_refused(run_tests, profile, more):
    first = tracker.start_run(profile, Environment.objects.get(), triggered_by="me", now=timezone.now())

    assert "leave out" in run_tests("--rerun", first.test_run_id, *more, code=3).err
    assert TestRun.objects.count() == 1


def git(*words):
    who = ["-c", "user.name=ada", "-c", "user.email=ada@example.com"]
    return subprocess.run(["git", *who, *words], check=True, capture_output=True, text=True).stdout.strip()


def test_branch_and_commit_come_from_the_checkout_where_it_is_what_runs(run_tests, profile):
    git("init", "-q", "-b", "feature")
    git("commit", "-q", "--allow-empty", "-m", "first")

    run_tests(*RUN, "--triggered-by", "nightly")

    run = TestRun.objects.get()
    assert (run.branch, run.commit_sha) == ("feature", git("rev-parse", "HEAD"))
    assert run.triggered_by == "nightly"


def test_a_checkout_on_another_branch_does_not_change_what_a_service_runs(run_tests, profile):
    Environment.objects.update(service="github", ref="main")
    profile.steps.update(workflow="build_job.yml")
    git("init", "-q", "-b", "feature")
    git("commit", "-q", "--allow-empty", "-m", "first")

    run_tests(*RUN, code=3)  # there is no such service here, so nothing was sent

    run = TestRun.objects.get()
    assert (run.branch, run.commit_sha, run.plan["ref"]) == ("", "", "main")
    assert run.reason.startswith("Nothing was sent. There is no service 'github' here")


def test_a_full_disk_is_told_and_stops_no_run(run_tests, profile, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tracking.tracking_file.write", refuse)

    done = run_tests(*RUN)

    assert done.err.count("The tracking file can't be written: [Errno 28] No space left on device.") == 1
    assert "Status: passed" in done.out


def test_a_database_that_stays_locked_ends_it_with_three_and_leaves_the_run_to_others(
    run_tests, profile, monkeypatch
):
    def lock(*_, **__):
        raise OperationalError("database is locked")

    monkeypatch.setattr("tracking.drive.advance", lock)

    done = run_tests(*RUN, code=3)

    run = TestRun.objects.get()
    assert f"{run} is left to the workers" in done.err
    assert "Another process is writing to it; try again in a moment." in done.err
    assert (run.status, run.driver) == ("running", "")
    assert not LocalJob.objects.exists()


def test_who_was_stopped_for_long_watches_the_one_who_took_over(run_tests, profile, monkeypatch):
    monkeypatch.setattr("tracking.management.driving.RENEW", -1)
    monkeypatch.setattr("tracking.management.driving.WATCHING", 0.01)
    looks = iter([True, False, False, True, True, True])
    take = lambda *_, **__: next(looks, True)  # noqa: E731
    monkeypatch.setattr("tracking.drive.take_lease", take)

    assert "Status: passed" in run_tests(*RUN).out
    assert next(looks, None) is None


def test_more_detail_tells_what_runtrail_did(run_tests, profile):
    said = run_tests(*RUN, "-v").out

    assert "Checked 1 step: all can be sent." in said
    assert "Ended as passed." in said


def test_a_fault_of_our_own_is_no_result_of_the_tests(profile, monkeypatch, capsys):
    def break_down(*_, **__):
        raise RuntimeError("a bug")

    monkeypatch.setattr("tracking.drive.advance", break_down)

    with pytest.raises(SystemExit) as end:
        Command().run_from_argv(["manage.py", "run_tests", *RUN])

    assert end.value.code == 3
    assert "RuntimeError: a bug" in (told := capsys.readouterr().err)
    assert "no result of the tests" in told
