"""run_tests in real processes, with no server and no broker anywhere."""

import json
import os
import pty
import re
import signal
import subprocess

import pytest

from tests.command_line import CommandLine, id_of, wait_until

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    shell = CommandLine(tmp_path_factory.mktemp("shell"))
    shell.add_profiles(
        quick=[shell.stamping(3)],
        failing=[{"command": ["sh", "-c", "exit 3"]}, {"command": ["true"]}],
        broken=[{"command": ["no-such-program"]}],
        slow=[{"command": ["sleep", "60"], "count": 3}],
        stubborn=[{"command": ["sh", "-c", "trap '' TERM; sleep 60; sleep 60"]}],
        long=[shell.stamping(6, seconds=0.5)],
    )
    return shell


def cancelled_by(shell, number, profile="slow"):
    command = shell.begin("run_tests", "-e", "local", "-t", profile)
    lines = [command.stdout.readline() for _ in range(3)]
    test_run_id = id_of("".join(lines))
    wait_until(lambda: is_somebody_running(shell, test_run_id))
    command.send_signal(number)
    return command, test_run_id


def is_somebody_running(shell, test_run_id):
    answer = shell.run("analyze_run", "--test-run-id", test_run_id, "-v").stdout
    return "in_progress" in answer


def test_a_run_is_told_from_its_identifier_to_its_metrics(shell):
    said = shell.run("run_tests", "-e", "local", "-t", "quick").stdout

    lines = said.splitlines()
    assert lines[:2] == ["Loading environment: local", "Starting test profile: quick"]
    assert re.fullmatch(r"Test Run ID: quick_\d{8}_\d{6}_[0-9a-f]{6}", lines[2])
    pattern = r"\[\d/3\] stamp #\d success  queue [\d.]+ m?s  execution [\d.]+ m?s"
    assert all(re.fullmatch(pattern, line) for line in lines[3:6]), said
    path = shell.data / f"test_results/local/tracking/{id_of(said)}.json"
    assert lines[6] == f"Tracking data saved to: {path}"
    assert "📊 METRICS SUMMARY" in lines
    assert "Workflows completed: 3/3" in lines
    assert lines[-1] == "Status: passed"
    assert shell.tracking_file(id_of(said))["end_time"]
    assert len(set(shell.stamps(id_of(said)))) == 3


@pytest.mark.parametrize(("profile", "code", "status"), [("failing", 1, "failed"), ("broken", 3, "error")])
def test_the_exit_code_says_how_it_ended(shell, profile, code, status):
    said = shell.run("run_tests", "-e", "local", "-t", profile, code=code).stdout

    assert f"Status: {status} (" in said
    assert shell.tracking_file(id_of(said))["metadata"]["status"] == status


def test_what_can_not_run_ends_with_three_and_a_plain_error(shell):
    done = shell.run("run_tests", "-e", "local", "-t", "moon", code=3)

    assert "There are: broken, failing, long, quick, slow, stubborn." in done.stderr
    assert "Traceback" not in done.stderr


def test_a_fault_in_the_environment_ends_it_with_three(shell):
    done = shell.run(
        "run_tests", "-e", "local", "-t", "quick", code=3, variables={"RUNTRAIL_LOCAL_SLOTS": "many"}
    )

    assert "RUNTRAIL_LOCAL_SLOTS must be a whole number" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_cancels_the_run_and_all_its_jobs(shell, number):
    command, test_run_id = cancelled_by(shell, number)

    out, err = command.communicate(timeout=60)

    assert command.returncode == 3, out + err
    assert "Cancelling; once more leaves it to the workers." in out
    assert "Status: cancelled (Cancelled by " in out
    saved = shell.tracking_file(test_run_id)
    assert saved["metadata"]["status"] == "cancelled"
    assert saved["end_time"]
    assert "sleep\x0060" not in command_lines_of(shell)


def command_lines_of(shell):
    """The command lines of all processes that stand in this installation's folder."""
    found = []
    for number in filter(str.isdigit, os.listdir("/proc")):  # noqa: PTH208
        try:
            if os.readlink(f"/proc/{number}/cwd") == str(shell.folder):  # noqa: PTH115
                with open(f"/proc/{number}/cmdline") as file:  # noqa: PTH123
                    found.append(file.read())
        except OSError:
            continue
    return "\n".join(found)


def test_a_second_interrupt_leaves_the_cancelling_to_the_next_driver(shell):
    command, test_run_id = cancelled_by(shell, signal.SIGINT, "stubborn")
    assert "Cancelling" in command.stdout.readline()
    command.send_signal(signal.SIGINT)
    out, _ = command.communicate(timeout=60)
    assert command.returncode == 3
    assert "The workers go on with the cancelling when the server is started next" in out
    assert "Status: running" in out

    said = shell.run("cancel_run", test_run_id).stdout

    assert said.startswith(f"{test_run_id} ended as cancelled.")


def test_another_driver_goes_on_after_a_kill_and_every_job_runs_once(shell):
    command = shell.begin("run_tests", "-e", "local", "-t", "long")
    test_run_id = id_of("".join(command.stdout.readline() for _ in range(3)))
    wait_until(lambda: len(shell.stamps(test_run_id)) >= 2)
    command.kill()
    command.communicate()
    assert shell.tracking_file(test_run_id)["end_time"] is None

    shell.python(
        "from tracking.management.driving import Drive\n"
        "from tracking import drive\n"
        "from tracking.models import TestRun\n"
        "from django.utils import timezone\n"
        f"run = TestRun.objects.get(test_run_id={test_run_id!r})\n"
        "assert drive.take_lease(run.pk, 'next', now=timezone.now()), run.driver\n"
        "Drive(run.pk, 'next').until_closed(lambda run: None, lambda: False)\n"
    )

    assert len(shell.stamps(test_run_id)) == len(set(shell.stamps(test_run_id))) == 6
    saved = shell.tracking_file(test_run_id)
    assert saved["metadata"]["status"] == "passed"
    assert saved["end_time"]


def test_the_file_is_whole_at_any_moment_of_the_run(shell):
    command = shell.begin("run_tests", "-e", "local", "-t", "long")
    test_run_id = id_of("".join(command.stdout.readline() for _ in range(3)))

    seen = []
    wait_until(lambda: any(shell.data.glob(f"test_results/*/tracking/{test_run_id}.json")))
    while command.poll() is None:
        seen.append(shell.tracking_file(test_run_id))
    command.communicate()

    assert command.returncode == 0
    going = [one for one in seen if one["metadata"]["status"] == "running"]
    assert going
    assert all(one["end_time"] is None and one["workflow_count"] == 6 for one in going)
    ids = shell.tracking_file(test_run_id)["workflow_ids"]
    assert all(isinstance(one, int) for one in ids)
    assert len(set(ids)) == 6


def test_two_at_once_on_a_fresh_checkout_make_one_database_and_mix_nothing(tmp_path):
    shell = CommandLine(tmp_path, is_new=True)
    first = [shell.begin("analyze_run", "--list") for _ in range(3)]
    assert [one.communicate()[1] for one in first] == ["", "", ""]
    shell.add_profiles(quick=[shell.stamping(3)])

    commands = [shell.begin("run_tests", "-e", "local", "-t", "quick") for _ in range(2)]
    ids = [id_of(one.communicate(timeout=100)[0]) for one in commands]

    assert [one.returncode for one in commands] == [0, 0]
    assert len(set(ids)) == 2
    for test_run_id in ids:
        assert len(shell.stamps(test_run_id)) == len(set(shell.stamps(test_run_id))) == 3


def test_json_is_one_document_and_the_progress_goes_elsewhere(shell):
    done = shell.run("run_tests", "-e", "local", "-t", "quick", "--format", "json")

    answer = json.loads(done.stdout)
    assert answer["status"] == "passed"
    assert answer["workflows"] == {"total": 3, "completed": 3}
    assert answer["queue"]["unit"] == "s"
    assert answer["tracking_file"].endswith(f"{answer['test_run_id']}.json")
    assert f"Test Run ID: {answer['test_run_id']}" in done.stderr


def test_without_a_worker_a_run_that_is_handed_over_waits_and_it_is_said(shell):
    done = shell.run("run_tests", "-e", "local", "-t", "quick", "--no-wait")

    assert "No worker can be reached just now" in done.stderr
    assert f"Follow it with `analyze_run --test-run-id {id_of(done.stdout)}`" in done.stdout
    saved = shell.tracking_file(id_of(done.stdout))
    assert saved["workflow_ids"] == [None, None, None]
    assert saved["workflow_names"] == ["stamp", "stamp", "stamp"]
    shell.run("cancel_run", id_of(done.stdout))


def test_a_reader_who_goes_away_does_not_stop_the_run(shell):
    command = shell.begin("run_tests", "-e", "local", "-t", "quick")
    test_run_id = id_of("".join(command.stdout.readline() for _ in range(3)))
    command.stdout.close()

    assert command.wait(60) == 0
    command.stderr.close()

    assert shell.tracking_file(test_run_id)["metadata"]["status"] == "passed"


@pytest.mark.parametrize("no_color", [True, False])
def test_a_terminal_gets_a_live_bar_and_colors_unless_it_wants_none(shell, no_color):
    mine, theirs = pty.openpty()
    variables = {name: value for name, value in shell.environment.items() if name != "NO_COLOR"}
    variables |= {"TERM": "xterm-256color", **({"NO_COLOR": "1"} if no_color else {})}
    command = subprocess.Popen(
        shell.command("run_tests", "-e", "local", "-t", "quick"),
        env=variables,
        cwd=shell.folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    while chunk := read(mine):
        shown += chunk
    os.close(mine)

    assert command.wait(10) == 0
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())
    assert re.search(r"[0-3]/3 done, \d running, \d queued, 0 failed", text), text
    assert "[3/3] stamp" in text
    assert (re.search(rb"\x1b\[[0-9;]*3\d", shown) is None) == no_color


def read(terminal):
    try:
        return os.read(terminal, 65536)
    except OSError:  # the last process on the other side has gone
        return b""
