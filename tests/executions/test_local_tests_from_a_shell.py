"""`run_local_tests` as a process: its own database, its help, its exit codes."""

import sqlite3
import subprocess
import sys

import pytest

from tests.command_line import CommandLine

pytestmark = pytest.mark.embedded  # processes as a user has them, on the database a user has


@pytest.fixture
def command_line(tmp_path):
    made = CommandLine(tmp_path, is_new=True)
    made.environment.pop("PYTEST_CURRENT_TEST", None)
    made.environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_a.py").write_text("def test_a(): pass\n")
    return made


def test_another_database_is_made_and_migrated_when_it_is_new(command_line):
    command_line.environment["RUNTRAIL_PROJECT"] = "shop"  # as in the shell of who has one server for all

    command_line.run("run_local_tests", "--db", "new/local history.db", "--python", sys.executable)

    with sqlite3.connect(command_line.folder / "new" / "local history.db") as database:
        projects = "SELECT slug FROM access_project ORDER BY slug"
        assert database.execute(projects).fetchall() == [("default",), ("shop",)]
        runs = "SELECT slug FROM test_runs JOIN access_project AS p ON p.id = project_id"
        assert database.execute(runs).fetchall() == [("shop",)]
    assert not (command_line.data / "db.sqlite3").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--db", "mysql://x/y"], "RUNTRAIL_DB must begin with"),
        (["--project", "nothing", "--db", "a.db"], "nothing"),
        (["--python", "/no/such", "--db", "a.db"], "There is no Python at"),
    ],
)
def test_what_could_not_run_is_3(command_line, arguments, said):
    assert said in command_line.run("run_local_tests", *arguments, code=3).stderr


def test_help_tells_our_options_and_no_others(command_line):
    told = command_line.run("run_local_tests", "--help").stdout

    assert "--python" in told
    assert "pytest's own" in " ".join(told.split())
    assert "--traceback" not in told
    assert "--format" not in told


def test_a_server_that_is_named_needs_no_database(command_line):
    variables = {"RUNTRAIL_URL": "http://127.0.0.1:9", "RUNTRAIL_TOKEN": "rt_0123456789"}
    spool = {"RUNTRAIL_SPOOL": str(command_line.folder / "spool")}

    done = command_line.run("run_local_tests", "--python", sys.executable, variables={**variables, **spool})

    assert "1 test kept and sent next time" in done.stdout
    assert not list(command_line.data.glob("*.sqlite3"))


def test_sigterm_reaches_pytest(command_line):
    (command_line.folder / "test_a.py").write_text(
        "import os, signal, time\n"
        "def test_a():\n"
        "    os.kill(os.getppid(), signal.SIGTERM)\n"
        "    time.sleep(30)\n"
    )

    done = subprocess.run(
        command_line.command("run_local_tests", "--db", "a.db", "--python", sys.executable),
        env=command_line.environment,
        cwd=command_line.folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 128 + 15, done.stdout + done.stderr
