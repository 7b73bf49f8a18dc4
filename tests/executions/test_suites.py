"""Definitions of kind `suite`: a command whose tests become the results of its run."""

import io
import os
import shutil
import subprocess
import sys
import time

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from executions.models import Result, TestCase
from tests.factories import make_definition, make_environment
from tests.tracking.conftest import data  # noqa: F401 - a fixture
from tracking import tasks
from tracking.management.driving import local_runner
from tracking.models import TestDefinition, TestRun
from tracking.plan import NotRunnable
from tracking.tracker import start_run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("data")]
PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
TESTS = """
import os

def test_good(): print("fine")
def test_bad(): assert not os.environ.get("BROKEN")
"""


def run_tests(*arguments):
    """Return the exit code and what was said."""
    out = io.StringIO()
    try:
        call_command("run_tests", "--project", "demo", *arguments, stdout=out, stderr=out)
    except CommandError as problem:
        return problem.returncode, f"{out.getvalue()}{problem}"
    except SystemExit as end:
        return end.code, out.getvalue()
    return 0, out.getvalue()


def suite(command, folder, **fields):
    make_environment("local")
    return make_definition("unit", kind="suite", steps=[{"command": command}], folder=str(folder), **fields)


def outcomes():
    rows = Result.objects.deciding().order_by("case__nodeid")
    return {row.case.nodeid: row.outcome_word for row in rows.select_related("case")}


def test_a_suite_of_a_profile_runs_and_what_it_should_have_reported_is_missed(tmp_path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "test_cart.py").write_text(TESTS)
    (tmp_path / "runtrail.toml").write_text(
        f"""
[project]
slug = "demo"
[definitions.unit]
kind = "suite"
workspace = "shop"
command = {PYTEST!r}
timeout = 120
expected = ["test_cart.py::test_good", "test_cart.py::test_gone"]
""".replace("'", '"')
    )
    call_command("load_profiles", str(tmp_path / "runtrail.toml"), stdout=io.StringIO())

    code, said = run_tests("-e", "local", "-t", "unit")

    run = TestRun.objects.get()
    assert (code, run.status, run.reason) == (1, "failed", "1 of 3 tests failed.")
    assert f"Test Run ID: {run.test_run_id}" in said
    assert outcomes() == {
        "test_cart.py::test_bad": "passed",
        "test_cart.py::test_gone": "failed",
        "test_cart.py::test_good": "passed",
    }
    gone = TestCase.objects.get(nodeid__endswith="gone").texts.get()
    assert "expects this case" in gone.message + gone.details


@pytest.mark.parametrize(
    ("command", "code", "status", "reason"),
    [
        ([*PYTEST, "-k", "nothing_like_it"], 3, "error", "No test was reported."),
        ([*PYTEST, "no_such_file.py"], 3, "error", "pytest ended with 4: a usage error."),
        (["true"], 3, "error", "No test was reported."),
        (["no-program-of-this-name"], 3, "error", "It could not start"),
        ([sys.executable, "-c", "import os; os.kill(os.getpid(), 11)"], 3, "error", "The suite crashed"),
        (["sleep", "60"], 3, "error", "It took longer than its time limit of 2 s and was ended."),
    ],
)
def test_what_is_wrong_with_the_suite_itself_is_an_error(tmp_path, command, code, status, reason):
    (tmp_path / "test_cart.py").write_text(TESTS)
    suite(command, tmp_path, timeout=2 if command[0] == "sleep" else 100)

    assert run_tests("-e", "local", "-t", "unit")[0] == code
    run = TestRun.objects.get()
    assert run.status == status
    assert run.reason.startswith(reason)


def test_reports_that_another_runner_writes_are_taken_but_no_old_ones_and_none_from_elsewhere(tmp_path):
    place = tmp_path / "work"
    place.mkdir()
    old = "<testsuite><testcase classname='m' name='old'/></testsuite>"
    (tmp_path / "outside.xml").write_text(old)
    shutil.copy(tmp_path / "outside.xml", place / "old.xml")
    an_hour_ago = time.time() - 3600
    os.utime(place / "old.xml", (an_hour_ago, an_hour_ago))
    report = "<testsuite><testcase classname='m' name='new'/></testsuite>"
    script = f'mkdir -p out; echo "{report}" > out/a.xml; exit 3'
    suite(["sh", "-c", script], place, reports=["**/*.xml", "../*.xml", "/etc/*"], expected=["m::new"])

    assert run_tests("-e", "local", "-t", "unit")[0] == 1
    assert outcomes() == {"m::new": "passed"}
    assert TestRun.objects.get().reason == "No test failed, and yet the command ended with 3."


def test_what_was_reported_before_a_crash_is_kept(tmp_path):
    (tmp_path / "test_cart.py").write_text(TESTS + "def test_end(): os.kill(os.getpid(), 9)\n")
    suite(PYTEST, tmp_path)

    assert run_tests("-e", "local", "-t", "unit")[0] == 3
    assert outcomes()["test_cart.py::test_good"] == "passed"
    assert TestRun.objects.get().reason.startswith("The suite crashed: ended by signal 9")


def test_workers_take_the_results_on_the_machine_that_ran_it(tmp_path):
    (tmp_path / "test_cart.py").write_text(TESTS)
    definition = suite(PYTEST, tmp_path)
    run = start_run(definition, make_environment("local"), triggered_by="ada", now=timezone.now())
    runner = local_runner()
    tasks.current_app.conf.task_always_eager = True
    try:
        for _ in range(600):
            tasks.drive_run(str(run.pk))
            run.refresh_from_db()
            if not run.is_running:
                break
            runner.tick(timezone.now())
            time.sleep(0.05)
    finally:
        tasks.current_app.conf.task_always_eager = False
        runner.leave()

    assert (run.status, run.result_set.passed) == ("passed", 2)


def test_a_suite_is_of_the_code_in_its_workspace(tmp_path):
    place = tmp_path / "work"
    place.mkdir()
    (place / "test_cart.py").write_text(TESTS)
    for words in ("init -qb topic", "add .", "-c user.name=a -c user.email=a@b.c commit -qm x"):
        subprocess.run(["git", *words.split()], cwd=place, check=True)
    ask = ["git", "rev-parse", "HEAD", "HEAD^{tree}"]
    head, tree = subprocess.run(ask, cwd=place, capture_output=True, text=True, check=True).stdout.split()
    suite(PYTEST, place)

    assert run_tests("-e", "local", "-t", "unit")[0] == 0
    run = TestRun.objects.get()
    assert (run.branch, run.commit_sha, run.tree_hash) == ("topic", head, tree)
    assert run.result_set.code == tree


def test_a_suite_runs_only_where_commands_may_run(tmp_path):
    definition = suite(PYTEST, tmp_path, is_from_shell=False)
    github = make_environment("aws-ecs", service="github")

    with pytest.raises(NotRunnable, match="may not run commands on this machine"):
        start_run(definition, make_environment("local"), triggered_by="ada", now=timezone.now())
    TestDefinition.objects.update(is_from_shell=True)
    definition.refresh_from_db()
    with pytest.raises(NotRunnable, match="Choose an environment with the service local"):
        start_run(definition, github, triggered_by="ada", now=timezone.now())
    assert not TestRun.objects.exists()
