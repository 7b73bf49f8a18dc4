"""Local jobs with real processes: each runs once, whoever dies meanwhile."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest
from django.utils import timezone

from tests.tracking.fakes import begin
from tracking import ci, drive, job_wrapper
from tracking.ci.local import job_folder
from tracking.models import LocalJob, TestRun
from tracking.runner import LocalRunner

pytestmark = pytest.mark.django_db(transaction=True)

# Each job adds a line with its own clock to a file that all of them share.
STAMP = """
import os, sys, time
begun = time.time()
time.sleep(float(sys.argv[2]))
with open(sys.argv[1], "a") as file:
    file.write(f"{os.environ['DISPATCH_ID']} {begun} {time.time()}\\n")
"""


@pytest.fixture
def lines(tmp_path):
    (tmp_path / "job.py").write_text(STAMP)
    return tmp_path / "lines"


@pytest.fixture
def make_runner(tmp_path):
    made = []

    def make(**options):
        made.append(LocalRunner(tmp_path / "jobs", host="here", slots=2, **options))
        return made[-1]

    yield make
    for runner in made:
        runner.leave(10)


@pytest.fixture
def runner(make_runner):
    return make_runner()


def make_job(name, command, **fields):
    defaults = {"folder": "/", "time_limit": 60, "created_at": timezone.now()}
    return LocalJob.objects.create(
        dispatch_id=name,
        name=name,
        command=command,
        variables={"DISPATCH_ID": name},
        **{**defaults, **fields},
    )


def make_stamping_jobs(lines, count, seconds=0.1):
    script = str(lines.parent / "job.py")
    for number in range(count):
        make_job(f"job-{number:02}", [sys.executable, script, str(lines), str(seconds)])


def tick_until(runner, is_reached, limit=30.0):
    end = time.monotonic() + limit
    while not is_reached():
        assert time.monotonic() < end, list(LocalJob.objects.values("name", "state", "conclusion", "reason"))
        runner.tick(timezone.now())
        time.sleep(0.02)


def all_done():
    return not LocalJob.objects.open().exists()


def one(conclusion=None):
    job = LocalJob.objects.get()
    assert conclusion in (None, job.conclusion), job.reason
    return job


def start_of_wrapper(runner, name):
    return json.loads((job_folder(runner.folder, name) / "start.json").read_text())


def test_jobs_run_in_order_a_set_number_at_once(runner, lines):
    make_stamping_jobs(lines, 5)

    most = 0
    while not all_done():
        runner.tick(timezone.now())
        most = max(most, LocalJob.objects.occupying("here").count())

    assert most == 2
    assert sorted(line.split()[0] for line in lines.read_text().splitlines()) == [
        f"job-{number:02}" for number in range(5)
    ]


def test_times_agree_with_the_processes_own_clocks(runner, lines):
    make_stamping_jobs(lines, 4, seconds=0.3)

    tick_until(runner, all_done)

    for line in lines.read_text().splitlines():
        name, begun, ended = line.split()
        job = LocalJob.objects.get(name=name)
        assert job.started_at.timestamp() == pytest.approx(float(begun), abs=0.1)
        assert job.completed_at.timestamp() == pytest.approx(float(ended), abs=0.1)


@pytest.mark.parametrize(
    ("command", "conclusion", "reason"),
    [
        (["true"], "success", ""),
        (["sh", "-c", "exit 3"], "failure", "exit code 3"),
        (["sh", "-c", "kill -9 $$"], "failure", "ended by signal 9"),
        (
            ["no-such-program"],
            "startup_failure",
            "could not start: no-such-program: No such file or directory",
        ),
    ],
)
def test_the_end_of_a_job_is_told_in_words(runner, command, conclusion, reason):
    make_job("a", command)

    tick_until(runner, all_done)

    job = one()
    assert (job.conclusion, job.reason) == (conclusion, reason)
    assert (job.started_at is None) == (conclusion == "startup_failure")


def test_a_folder_that_is_gone_is_a_failure_to_start(runner):
    make_job("a", ["true"], folder="/no/such/folder")

    tick_until(runner, all_done)

    assert "could not start" in one("startup_failure").reason


def test_a_job_past_its_limit_is_ended_with_all_it_started(runner, tmp_path):
    make_job("a", ["sh", "-c", f"sleep 60 & echo $! > {tmp_path}/child; wait"], time_limit=1)

    tick_until(runner, all_done)

    assert one("timed_out").reason == "it took longer than its time limit"
    assert job_wrapper.start_of(int((tmp_path / "child").read_text())) == ""


def test_cancelling_ends_a_job_that_does_not_listen_and_all_it_started(runner, tmp_path):
    make_job("a", ["sh", "-c", f"trap '' TERM; sleep 60 & echo $! > {tmp_path}/child; sleep 60; sleep 60"])
    tick_until(runner, (tmp_path / "child").exists)
    LocalJob.objects.update(cancel_requested_at=timezone.now())

    tick_until(runner, all_done)

    assert one("cancelled").reason == "cancelled while it ran"
    assert job_wrapper.start_of(int((tmp_path / "child").read_text() or 0)) == ""


def test_output_is_kept_up_to_its_limit_and_what_is_cut_is_said(runner, monkeypatch):
    monkeypatch.setattr("tracking.runner.OUTPUT_LIMIT", 1000)
    make_job("a", ["sh", "-c", "head -c 5000 /dev/zero | tr '\\0' x"])

    tick_until(runner, all_done)

    output = (job_folder(runner.folder, "a") / "output.log").read_text()
    assert output == "x" * 1000 + "\n[4,000 more bytes of output were not kept]\n"


def test_a_child_that_keeps_the_output_open_does_not_keep_the_job(runner):
    make_job("a", ["sh", "-c", "sleep 60 & echo done"])

    tick_until(runner, all_done, limit=10)

    assert one("success").exit_code == 0


def test_a_job_does_not_see_the_servers_secrets(runner, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "hush-key")
    monkeypatch.setenv("GITHUB_TOKEN", "hush-token")
    make_job("a", ["env"])

    tick_until(runner, all_done)

    output = (job_folder(runner.folder, "a") / "output.log").read_text()
    assert "DISPATCH_ID=a" in output
    assert "hush" not in output


def test_a_second_wrapper_for_a_job_goes_away(runner, lines):
    make_stamping_jobs(lines, 1, seconds=0.5)
    runner.tick(timezone.now())
    folder = job_folder(runner.folder, "job-00")
    tick_until(runner, (folder / "start.json").exists)

    again = [sys.executable, "-I", "-S", job_wrapper.__file__, str(folder)]
    assert subprocess.run(again, check=False).returncode == 0
    tick_until(runner, all_done)
    assert subprocess.run(again, check=False).returncode == 0

    assert len(lines.read_text().splitlines()) == 1


def test_a_runner_that_is_replaced_in_the_middle_loses_and_repeats_nothing(make_runner, lines):
    make_stamping_jobs(lines, 6, seconds=0.2)
    first = make_runner()
    for _ in range(10):
        first.tick(timezone.now())
        time.sleep(0.02)

    tick_until(make_runner(), all_done)

    assert len(lines.read_text().splitlines()) == 6
    assert set(LocalJob.objects.values_list("conclusion", flat=True)) == {"success"}


def test_a_job_that_was_claimed_and_never_started_is_started_by_the_next_runner(runner, lines):
    make_stamping_jobs(lines, 1)
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    LocalJob.objects.update(state="claimed", host="here", claimed_at=long_ago)

    tick_until(runner, all_done)

    assert len(lines.read_text().splitlines()) == 1


def test_a_job_whose_wrapper_is_killed_has_failed_and_leaves_no_process(runner):
    make_job("a", ["sleep", "60"])
    tick_until(runner, lambda: one().state == "running")
    started = start_of_wrapper(runner, "a")

    os.kill(started["wrapper"], signal.SIGKILL)
    tick_until(runner, all_done)

    assert one("failure").reason == "its process was killed"
    assert job_wrapper.start_of(started["pid"]) == ""


def test_two_runners_at_once_never_use_more_places_than_there_are(make_runner, lines):
    make_stamping_jobs(lines, 8)
    runners = [make_runner() for _ in range(2)]

    most = 0
    while not all_done():
        for runner in runners:
            runner.tick(timezone.now())
        most = max(most, LocalJob.objects.occupying("here").count())

    assert most <= 2
    assert len(lines.read_text().splitlines()) == 8


def test_jobs_end_when_their_server_is_gone(make_runner):
    server = subprocess.Popen(["sleep", "60"])
    named = f"{server.pid}:{job_wrapper.start_of(server.pid)}"
    runner = make_runner(supervisor=named)
    make_job("a", ["sleep", "60"])
    tick_until(runner, lambda: one().state == "running")

    server.kill()
    server.wait()
    tick_until(runner, all_done)

    assert one("cancelled").reason == "the server was stopped while it ran"


def test_a_whole_run_goes_through_the_local_service(tmp_path, runner, settings):
    settings.CI_SERVICES = {
        "local": {"BACKEND": "tracking.ci.local.LocalProcesses", "OPTIONS": {"folder": tmp_path / "jobs"}}
    }
    begin(now=timezone.now(), command=["sh", "-c", 'test "$JOB_NAME" = {job_name}'])
    service = ci.connect("local", None)

    def is_over():
        run = TestRun.objects.get()
        drive.advance(run, ci=service, now=timezone.now())
        return not TestRun.objects.get().is_running

    tick_until(runner, is_over)

    run = TestRun.objects.get()
    assert run.status == "passed", run.reason
    assert run.timing.timed == 3
    assert {row.visible_tag for row in run.workflow_runs.all()} == {run.test_run_id}
