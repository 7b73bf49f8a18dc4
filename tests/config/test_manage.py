import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

ROOT = Path(__file__).resolve().parents[2]


def manage(*arguments, **variables):
    environment = {"PATH": os.environ["PATH"], **variables}
    return subprocess.run(
        [sys.executable, ROOT / "manage.py", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("command", "code"), [("up", 1), ("analyze_run", 1), ("run_tests", 3)])
def test_a_malformed_variable_stops_every_command_with_one_plain_line(tmp_path, command, code):
    done = manage(command, RUNTRAIL_DATA=str(tmp_path), RUNTRAIL_LOCAL_SLOTS="many")

    said = "Runtrail can't start: RUNTRAIL_LOCAL_SLOTS must be a whole number, not 'many'.\n"
    assert (done.returncode, done.stderr) == (code, said)


def test_a_command_on_an_empty_folder_makes_its_database_quietly(tmp_path):
    done = manage("analyze_run", "--list", RUNTRAIL_DATA=str(tmp_path))

    assert done.returncode == 0
    assert done.stdout == "There are no test runs yet. `run_tests -e ENV -t PROFILE` starts one.\n"
    assert done.stderr == ""


def test_bad_usage_of_a_command_that_runs_tests_is_not_read_as_their_result(tmp_path):
    assert manage("run_tests", "--nonsense", RUNTRAIL_DATA=str(tmp_path)).returncode == 3
    assert manage("analyze_run", "--nonsense", RUNTRAIL_DATA=str(tmp_path)).returncode == 2


def test_a_second_server_on_the_same_data_and_a_taken_port_are_told_plainly(tmp_path):
    import fcntl
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = manage("up", "--port", port, RUNTRAIL_DATA=str(tmp_path))
        assert done.returncode == 1
        assert f"Port {port} on 127.0.0.1 can't be used" in done.stderr

    with (tmp_path / "up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = manage("up", "--port", "0", RUNTRAIL_DATA=str(tmp_path))
        assert done.returncode == 1
        assert "A server is running on the data" in done.stderr


@pytest.mark.parametrize(
    "line",
    [
        *("run_tests --bogus", "ci_batch_tests --timeout 0", "performance_track --bogus"),
        *(
            "batch",
            "batch bogus",
            "batch record",
            "batch backup x",
            "batch test --bogus",
            "batch watch --batch-size 0",
        ),
        *(
            "workload",
            "workload run",
            "workload run x --bogus",
            "workload gate",
            "workload optimization add x",
        ),
    ],
)
def test_bad_usage_of_a_command_that_runs_tests_is_no_result_of_theirs(line, capsys):
    name, *words = line.split()
    app = get_commands()[name]

    with pytest.raises(SystemExit) as ended:
        load_command_class(app, name).run_from_argv(["manage.py", name, *words])

    assert ended.value.code == 3, "1 is failed, 2 is a regression"
    assert "error: " in capsys.readouterr().err
