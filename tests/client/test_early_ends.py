"""Sessions that end before they should, and those that are none."""

import json
import re

import pytest

from tests.client.sessions import PLUGIN, XDIST, outcomes, tries


def test_a_module_that_cannot_be_collected_is_an_error(project):
    project.write("test_a.py", "import no_such_module\n")
    project.write("test_b.py", "import pytest\npytest.skip('not here', allow_module_level=True)\n")
    project.write("test_c.py", "def test_c(): pass\n")

    lines = project.record("--continue-on-collection-errors")

    assert outcomes(lines) == {"test_a.py": "error", "test_b.py": "skipped", "test_c": "passed"}
    broken = tries(lines)["test_a.py"][0]
    assert broken["when"] == "collect"
    assert "no_such_module" in broken["traceback"]


def test_with_workers_a_broken_module_is_one_error(project):
    project.write("test_a.py", "import no_such_module\n")
    project.write("test_c.py", "def test_c(): pass\n")

    lines = project.record(*XDIST)

    assert outcomes(lines)["test_a.py"] == "error"
    assert len(tries(lines)["test_a.py"]) == 1


def test_a_worker_that_crashes_names_the_test_it_ran(project):
    project.write("test_a.py", "import os\ndef test_crash(): os._exit(7)\n")
    project.write("test_b.py", "def test_b(): pass\n")

    lines = project.record(*XDIST)

    crash = tries(lines)["test_crash"][0]
    assert (crash["outcome"], crash["when"]) == ("failed", "crash")
    assert re.search("worker 'gw[0-9]' crashed", crash["message"])
    assert outcomes(lines)["test_b"] == "passed"


def test_stopping_early_is_said(project):
    project.write("test_a.py", "def test_a(): assert 0\ndef test_b(): pass\n")

    lines = project.record("-x")

    assert outcomes(lines) == {"test_a": "failed"}
    assert lines[-1]["interrupted"] is True
    assert "stopping after 1 failures" in lines[-1]["reason"]


def test_an_interrupted_test_has_no_outcome_and_is_named(project):
    project.write("test_a.py", "def test_a(): pass\ndef test_b(): raise KeyboardInterrupt\n")

    lines = project.record()

    assert outcomes(lines) == {"test_a": "passed"}
    assert lines[-1]["running"] == ["test_a.py::test_b"]
    assert (lines[-1]["exit_code"], lines[-1]["interrupted"]) == (2, True)


def test_an_internal_error_is_told_beside_the_tests(project):
    project.write("conftest.py", "def pytest_runtest_teardown(item):\n    if item.name == 'test_b': 1 / 0\n")
    project.write(
        "conftest.py", "def pytest_runtest_logfinish(nodeid): assert 'test_b' not in nodeid, 'oops'\n"
    )
    project.write("test_a.py", "def test_a(): pass\ndef test_b(): pass\n")

    lines = project.record()

    assert outcomes(lines) == {"test_a": "passed", "test_b": "passed"}
    (problem,) = [line for line in lines if line["type"] == "problem"]
    assert problem["kind"] == "internal_error"
    assert "oops" in problem["text"]
    assert lines[-1]["exit_code"] == 3


@pytest.mark.parametrize("arguments", [["--collect-only"], ["--fixtures"], ["--setup-plan"], ["--version"]])
def test_a_session_that_runs_nothing_is_not_recorded(project, arguments):
    project.write("test_a.py", "def test_a(): pass\n")

    project.run(*PLUGIN, "--runtrail", *arguments)

    assert not project.spool.exists()


def test_a_pytest_started_by_a_test_is_not_recorded(project):
    project.write("pytest.ini", "[pytest]\nruntrail = true\n")
    project.write("inner/test_inner.py", "def test_inner(): assert 0\n")
    project.write(
        "test_a.py",
        """
        import subprocess, sys

        def test_a():
            words = [sys.executable, "-m", "pytest", "-p", "runtrail.plugin", "inner"]
            assert subprocess.run(words).returncode == 1
        """,
    )

    project.run(*PLUGIN, "test_a.py")

    (kept,) = project.kept()
    assert outcomes([json.loads(line) for line in kept.read_text().splitlines()]) == {"test_a": "passed"}
