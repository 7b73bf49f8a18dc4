"""The command that runs pytest at the desk, with real sessions of real projects."""

import io
import json
import os
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import pytest
from django.core.management import CommandError, call_command

import executions
from executions.management.commands.run_local_tests import split_arguments
from tests.client.receiver import receiving
from tests.factories import make_project, make_run
from tracking.identifiers import local_run_id

pytestmark = pytest.mark.django_db


@contextmanager
def desk(folder: Path, **variables: str):
    """A person's shell in `folder`: no test around, no plugin of ours loaded."""
    before = Path.cwd()
    with mock.patch.dict(os.environ):
        for name in ("PYTEST_CURRENT_TEST", "VIRTUAL_ENV", "RUNTRAIL_URL", "RUNTRAIL_TOKEN"):
            os.environ.pop(name, None)
        os.environ |= {
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "RUNTRAIL_SPOOL": str(folder.parent / "spool"),
            **variables,
        }
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)


class Ingest:
    """Keeps what it is given, as the ingest of reports takes it."""

    def __init__(self) -> None:
        self.calls: list[dict] = []

    def ingest_report(self, file, **facts) -> None:
        self.calls.append({**facts, "lines": [json.loads(line) for line in file]})


@pytest.fixture
def ingest(monkeypatch):
    kept = Ingest()
    module = SimpleNamespace(ingest_report=kept.ingest_report)
    monkeypatch.setitem(sys.modules, "executions.ingest", module)
    monkeypatch.setattr(executions, "ingest", module, raising=False)
    return kept


@pytest.fixture
def project_folder(tmp_path):
    make_project("default")
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_a.py").write_text("def test_good(): pass\ndef test_bad(): assert 0\n")
    return folder


def run(folder, *arguments, quiet=False, **variables):
    """Run the command as typed in `folder`; return its exit code and what it said."""
    said, faults = io.StringIO(), io.StringIO()
    with desk(folder, **variables):
        try:
            call_command(
                "run_local_tests",
                pytest_arguments=["-p", "no:cacheprovider", *arguments],
                python=sys.executable,
                quiet=quiet,
                stdout=said,
                stderr=faults,
            )
        except SystemExit as end:
            return end.code, said.getvalue() + faults.getvalue()
    return 0, said.getvalue() + faults.getvalue()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["-k", "good"], 0),
        ([], 1),
        (["-k", "nothing_like_it"], 5),
        (["no_such_file.py"], 4),
        (["--no-such-option"], 4),
        (["-x", "-v", "test_a.py"], 1),
        (["-p", "no:doctest", "--tb=line"], 1),
    ],
)
def test_the_exit_code_is_pytests(project_folder, ingest, capfd, arguments, code):
    assert run(project_folder, *arguments)[0] == code


def test_what_ran_is_kept_as_a_local_run(project_folder, ingest, capfd):
    _, said = run(project_folder, "-v", "-k", "good or bad")

    (call,) = ingest.calls
    assert call["lines"][-1]["totals"]["failed"] == call["lines"][-1]["totals"]["passed"] == 1
    assert (call["space"], call["environment"], call["project"].slug) == ("local", "local", "default")
    assert call["metadata"] == {
        "source": "run_local_tests",
        "pytest_args": "-p no:cacheprovider -v -k 'good or bad'",
    }
    assert call["lines"][0]["pytest_args"] == call["metadata"]["pytest_args"]
    assert said == f"Test Run ID: {call['test_run_id']}\n"
    assert call["test_run_id"].startswith("local-20")
    assert "test_good PASSED" in capfd.readouterr().out


def test_further_runs_of_one_second_are_numbered(project_folder, ingest, capfd):
    at = datetime(2026, 2, 2, 14, 30, 52, tzinfo=UTC)
    make_run(test_run_id=local_run_id(at, 1))
    make_run(test_run_id=local_run_id(at, 2))

    with mock.patch("executions.management.commands.run_local_tests.timezone.now", return_value=at):
        run(project_folder)

    assert ingest.calls[0]["test_run_id"] == "local-20260202-143052-3"


def test_quiet_is_quiet(project_folder, ingest, capfd):
    code, said = run(project_folder, "-k", "good", quiet=True)

    assert (code, said) == (0, "")
    assert "test session starts" not in capfd.readouterr().out
    assert ingest.calls[0]["metadata"]["pytest_args"] == "-p no:cacheprovider -k good"


def test_a_pytest_that_is_killed_is_kept_as_cut_off(project_folder, ingest, capfd):
    (project_folder / "test_b.py").write_text("import os\ndef test_b(): os.kill(os.getpid(), 9)\n")

    code, _ = run(project_folder)

    assert code == 128 + 9
    end = ingest.calls[0]["lines"][-1]
    assert (end["cut_off"], end["running"]) == (True, ["test_b.py::test_b"])


def test_a_fault_of_the_recording_is_said_and_the_exit_code_stays(project_folder, ingest, monkeypatch, capfd):
    def fail(file, **facts):
        raise RuntimeError("no room")

    monkeypatch.setattr(sys.modules["executions.ingest"], "ingest_report", fail)

    assert run(project_folder, "-k", "good") == (0, "The results were not recorded: RuntimeError: no room\n")


def test_with_an_address_the_results_go_there_and_nowhere_else(project_folder, ingest, capfd):
    with receiving() as receiver:
        code, _ = run(project_folder, RUNTRAIL_URL=receiver.url, RUNTRAIL_TOKEN="rt_0123456789")

    assert code == 1
    assert not ingest.calls
    assert receiver.lines()[-1]["totals"]["failed"] == 1
    assert receiver.requests[0]["query"]["space"] == "local"
    assert "runtrail: 2 tests sent" in capfd.readouterr().out


def test_the_tests_see_nothing_of_our_settings(project_folder, ingest, capfd):
    (project_folder / "test_a.py").write_text(
        "import os\n"
        "def test_settings(): assert 'DJANGO_SETTINGS_MODULE' not in os.environ\n"
        "def test_database(): assert 'RUNTRAIL_DB' not in os.environ\n"
        "def test_theirs(): assert os.environ['DATABASE_URL'] == 'theirs'\n"
    )

    settings = {"DJANGO_SETTINGS_MODULE": "config.settings", "RUNTRAIL_DB": "x.sqlite3"}
    code, _ = run(project_folder, DATABASE_URL="theirs", **settings)

    assert code == 0


def test_an_unknown_project_stops_before_any_test_runs(project_folder, ingest, capfd):
    with desk(project_folder), pytest.raises(CommandError) as stopped:
        call_command("run_local_tests", "--project", "nothing", python=sys.executable)

    assert stopped.value.returncode == 3
    assert not ingest.calls
    assert not capfd.readouterr().out


@pytest.mark.parametrize(
    ("typed", "ours", "theirs"),
    [
        ([], [], []),
        (["-v", "-k", "test_validation"], [], ["-v", "-k", "test_validation"]),
        (["forge/tests/test_models.py", "-v"], [], ["forge/tests/test_models.py", "-v"]),
        (["--db", ".anvil/local-history.db"], ["--db", ".anvil/local-history.db"], []),
        (["--quiet"], ["--quiet"], []),
        (["-p", "no:cacheprovider", "-q"], [], ["-p", "no:cacheprovider", "-q"]),
        (
            ["--project=shop", "--pdb", "--python", "python3"],
            ["--project=shop", "--python", "python3"],
            ["--pdb"],
        ),
        (["--format", "x", "--verbosity=2", "-h"], ["-h"], ["--format", "x", "--verbosity=2"]),
        (["-x", "--", "--quiet", "--db", "a"], [], ["-x", "--quiet", "--db", "a"]),
    ],
)
def test_every_argument_that_is_not_ours_is_pytests(typed, ours, theirs):
    assert split_arguments(typed) == (ours, theirs)
