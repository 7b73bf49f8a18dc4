"""Every command line of the document on edit batches, run through the command line as a user has it."""

import copy
import json
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from tests.warm_line import WarmCommandLine

pytestmark = pytest.mark.embedded  # processes as a user has them, on the database a user has

FILES = ["orchestrator", "dnp_integration", "circuit_breaker", "report_generator", "canonical_notation"]
TEST = (
    "import unittest, {0}\nclass T(unittest.TestCase):\n    def test_it(self):\n        assert {0}.f() == 1\n"
)
RESULT = {
    *("batch_id", "timestamp", "success", "total_tests", "passed_tests", "failed_tests", "skipped_tests"),
    *("duration_seconds", "git_commit_hash", "failures"),
}
FAILURE = {"type", "test_name", "test_class", "module", "traceback", "file_location"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """One installation for all tests; each has a workspace of its own."""
    line = WarmCommandLine(tmp_path_factory.mktemp("installed"))
    yield line
    line.stop()


@pytest.fixture
def desk(installed, tmp_path):
    made = copy.copy(installed)
    made.environment = dict(installed.environment)
    made.folder = tmp_path / "project"
    made.folder.mkdir()
    made.environment.pop("PYTEST_CURRENT_TEST", None)
    made.environment |= {
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
    }
    for name in FILES:
        (made.folder / f"{name}.py").write_text("def f(): return 1\n")
        (made.folder / f"test_{name}.py").write_text(TEST.format(name))
    (made.folder / "pytest.ini").write_text("[pytest]\n")
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        who = ["-c", "user.name=n", "-c", "user.email=a@b"]
        subprocess.run(["git", *who, *words], cwd=made.folder, check=True)
    return made


def rt(desk, *words, code=0):
    return desk.run(*words, "--python", sys.executable, code=code)


def edit(desk, name, value=1):
    (desk.folder / f"{name}.py").write_text(f"def f(): return {value}  # edited\n")


def keep_two_modules(desk):
    """Each module is a process of its own where they are isolated: two show as much as five."""
    for name in FILES[2:]:
        (desk.folder / f"test_{name}.py").unlink()


def log(desk, name):
    return json.loads((desk.folder / "test_batch_logs" / name).read_text())


def status(desk):
    return subprocess.run(
        ["git", "status", "--short", "-uno"], cwd=desk.folder, capture_output=True, text=True, check=True
    ).stdout


def test_the_fifth_edit_runs_the_tests_and_one_command_goes_back(desk):
    for number, name in enumerate(FILES[:4], start=1):
        edit(desk, name)
        done = rt(desk, "batch", "record", f"{name}.py", "-d", "Fixed stage 3 bug")
        assert f"edit {number}/5 of batch 1" in done.stdout
    edit(desk, FILES[4], 2)

    done = rt(desk, "batch", "record", f"{FILES[4]}.py", "Fixed parsing issue", code=1)

    assert "5 tests, 4 passed, 1 failed" in done.stdout
    assert "Suspected: edit 5, canonical_notation.py" in done.stderr
    result = log(desk, "test_results.json")[-1]
    assert set(result) == RESULT
    assert set(result["failures"][0]) == FAILURE
    assert result["failures"][0]["test_class"] == "test_canonical_notation.T"
    assert result["failures"][0]["file_location"] == "test_canonical_notation.py:4"
    assert log(desk, "batch_tracker.json")["edit_count"] == 5
    report = (desk.folder / "test_batch_logs/test_report_batch_1.txt").read_text()
    assert "canonical_notation.py: Fixed parsing issue" in report
    backup = desk.folder / "test_batch_logs/backups/batch_1"
    assert (backup / "orchestrator.py").read_text() == "def f(): return 1\n"
    assert len((backup / "git_commit.txt").read_text().strip()) == 40

    assert "Backup of 5 files" in rt(desk, "batch", "backup", "1").stdout
    assert "batch 1: 5 edits, failed" in rt(desk, "batch", "status").stdout
    assert "Rolled back batch 1: 5 files" in rt(desk, "batch", "rollback", "1").stdout
    assert status(desk) == ""
    assert "1 batch stays" in rt(desk, "batch", "reset").stdout
    assert log(desk, "batch_tracker.json")["edit_count"] == 0


def test_baseline_and_compare_tell_a_regression_by_their_exit_code(desk):
    keep_two_modules(desk)
    rt(desk, "batch", "compare", code=3)
    rt(desk, "batch", "baseline")
    rt(desk, "batch", "compare")
    edit(desk, "orchestrator", 2)

    rt(desk, "batch", "compare", code=2)

    assert log(desk, "regressions.json")["new_failures"] == [
        {"test_name": "test_orchestrator.py::T::test_it", "baseline_outcome": "passed", "outcome": "failed"}
    ]
    edit(desk, "orchestrator", 1)
    assert "1 test, 1 passed" in rt(desk, "batch", "test", "-p", "test_orchestrator*.py").stdout
    rt(desk, "batch", "test", "-p", "test_*_integration.py")
    assert "1 passed" in rt(desk, "batch", "test", "-p", "test_orchestrator.py", "-v").stdout
    before = {path: path.read_bytes() for path in (desk.folder / "test_batch_logs").glob("*.*")}

    nothing = rt(desk, "batch", "test", "-p", "nothing*.py", code=3)

    assert "Nothing was collected" in nothing.stderr
    assert "-p takes file names" in nothing.stderr
    assert {path: path.read_bytes() for path in (desk.folder / "test_batch_logs").glob("*.*")} == before


def test_the_runner_for_ci_keeps_json_and_junit(desk):
    keep_two_modules(desk)
    rt(desk, "ci_batch_tests", "-v")
    rt(desk, "ci_batch_tests", "--compare", code=3)
    rt(desk, "ci_batch_tests", "--set-baseline")
    rt(desk, "ci_batch_tests", "--set-baseline", "--baseline-file", "custom_baseline.json")
    rt(desk, "ci_batch_tests", "--compare", "-v")
    edit(desk, "orchestrator", 2)

    rt(desk, "ci_batch_tests", code=1)
    rt(desk, "ci_batch_tests", "--compare", "--baseline-file", "custom_baseline.json", code=2)

    suite = ElementTree.parse(desk.folder / "test_batch_logs/ci_test_results.xml").getroot()[0]  # noqa: S314
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert [row["success"] for row in log(desk, "ci_test_results.json")["modules"]].count(False) == 1
    rt(desk, "ci_batch_tests", "--no-such-option", code=3)


def test_what_can_not_be_handed_to_the_worker_is_refused_before_anything_runs(desk):
    for words, told in {
        ("ci_batch_tests", "--background"): "No worker serves",
        ("ci_batch_tests", "--background", "--compare"): "There is no baseline",
        ("ci_batch_tests", "--background", "--set-baseline", "--baseline-file", "f"): "leave --baseline-file",
        ("ci_batch_tests", "--set-baseline", "-p", "test_*.py"): "leave -p out",
        ("batch", "baseline", "--background"): "No worker serves",
        ("batch", "test", "--background", "--python", "/no/python"): "There is no Python at",
    }.items():
        refused = desk.run(*words, code=3) if "--python" in words else rt(desk, *words, code=3)
        assert told in refused.stderr, words
    desk.environment |= {"RUNTRAIL_URL": "http://127.0.0.1:9", "RUNTRAIL_TOKEN": "rt_0123456789"}
    refused = rt(desk, "ci_batch_tests", "--background", code=3)
    assert "unset RUNTRAIL_URL" in refused.stderr
    assert not (desk.folder / "test_batch_logs").exists()


def test_a_module_that_kills_its_process_takes_no_other_with_it(desk):
    keep_two_modules(desk)
    (desk.folder / "test_orchestrator.py").write_text("import os\nos.abort()\n")

    done = rt(desk, "ci_batch_tests", code=1)

    assert "2 tests, 1 passed, 1 failed" in done.stdout
    assert "crashed by signal 6" in log(desk, "ci_test_results.json")["failures"][0]["traceback"]


def test_unittest_runs_where_it_is_said(desk):
    edit(desk, "orchestrator", 2)

    done = rt(desk, "batch", "test", "--framework", "unittest", code=1)

    assert "5 tests, 4 passed, 1 failed" in done.stdout
    assert "FAIL: test_orchestrator.T.test_it" in done.stdout


def test_what_a_workspace_uses_is_set_once_and_told(desk):
    told = desk.run("batch", "settings", "--batch-size", "3", "--python", sys.executable, "--format", "json")
    assert json.loads(told.stdout) == {
        "workspace": str(desk.folder),
        "batch_size": 3,
        "python": sys.executable,
    }
    assert "edit 1/3" in desk.run("batch", "record", "orchestrator.py").stdout
    assert "1 passed" in desk.run("batch", "test", "-p", "test_orchestrator.py").stdout
    assert "no Python at" in desk.run("batch", "settings", "--python", "/no/python", code=3).stderr
    assert "the Python that is found" in desk.run("batch", "settings", "--python", "auto").stdout


def test_tests_that_take_too_long_are_ended_and_could_not_run(desk):
    (desk.folder / "test_orchestrator.py").write_text("import time\ndef test_it(): time.sleep(60)\n")

    done = rt(desk, "batch", "test", "--timeout", "2", code=3)

    assert "longer than 2 seconds" in done.stderr


def test_a_commit_is_recorded_by_the_hook_and_the_hook_that_was_there_still_runs(desk):
    hook = desk.folder / ".git/hooks/post-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho mine\n")
    hook.chmod(0o755)
    rt(desk, "batch", "install-hook")
    rt(desk, "batch", "install-hook")

    text = hook.read_text()
    assert text.startswith("#!/bin/sh\necho mine\n")
    assert text.count("batch record") == 1
    edit(desk, "orchestrator")
    (desk.folder / "größe und maß.py").write_text("")
    for words in (["add", "*.py"], ["commit", "-qm", "- a list, first"]):
        who = ["git", "-c", "user.name=n", "-c", "user.email=a@b"]
        subprocess.run([*who, *words], cwd=desk.folder, env=desk.environment, check=True)
    told = json.loads(rt(desk, "batch", "status", "--format", "json").stdout)["current_batch"]["edits"]
    assert [(one["file_path"], one["description"]) for one in told] == [
        ("größe und maß.py", "- a list, first"),
        ("orchestrator.py", "- a list, first"),
    ]
    assert all(one["earlier_state"] for one in told)
    rt(desk, "batch", "install-hook", "--uninstall")
    assert hook.read_text().strip() == "#!/bin/sh\necho mine"


def test_the_logs_may_be_lost_or_damaged(desk):
    edit(desk, "orchestrator")
    rt(desk, "batch", "record", "orchestrator.py")
    (desk.folder / "test_batch_logs/batch_tracker.json").write_text("{")

    rt(desk, "batch", "status")

    assert log(desk, "batch_tracker.json")["edit_count"] == 1


@pytest.mark.parametrize("path", ["../outside.py", "/etc/hostname", ".git/config", "test_batch_logs/a.py"])
def test_no_path_leaves_the_workspace(desk, path):
    assert rt(desk, "batch", "record", path, code=3).stderr.strip()
