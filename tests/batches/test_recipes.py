"""The recipes for CI in docs/batches.md as they stand there: parsed, and their lines run by a shell."""

import re
import subprocess
import sys

import pytest
import yaml

from tests.command_line import CommandLine
from tests.journeys.product import ROOT

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(300)]
PAGE = (ROOT / "docs/batches.md").read_text()


def block(language):
    (found,) = re.findall(rf"^```{language}\n(name: .*?|pipeline .*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return found


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """A CI machine: a checkout with a baseline, Runtrail beside it, and a pip that has nothing to do."""
    line = CommandLine(tmp_path_factory.mktemp("installed"))
    folder = tmp_path_factory.mktemp("checkout")
    line.folder = folder
    (folder / "requirements.txt").write_text("")
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_a.py").write_text("def test_a(): pass\n")
    programs = folder / ".runtrail/bin"
    programs.mkdir(parents=True)
    for place, words in {
        programs / "runtrail": f'exec {sys.executable} {ROOT}/manage.py "$@"',
        folder / "programs/python": f'[ "$2" = venv ] && exit 0\nexec {sys.executable} "$@"',
        folder / "programs/python3": f'exec {sys.executable} "$@"',
        folder / "programs/pip": "exit 0",
        folder / ".runtrail/.venv/bin/pip": "exit 0",
    }.items():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"#!/bin/sh\n{words}\n")
        place.chmod(0o755)
    line.environment |= {
        "PATH": f"{folder}/programs:{line.environment['PATH']}",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    line.run("ci_batch_tests", "--set-baseline", "--python", sys.executable)
    return line


def sh(machine, text):
    words = ["sh", "-e", "-c", text]
    return subprocess.run(
        words, cwd=machine.folder, env=machine.environment, capture_output=True, text=True, check=False
    )


def test_the_recipe_for_github_is_a_workflow_whose_lines_work(machine):
    recipe = yaml.safe_load(block("yaml"))
    steps = recipe["jobs"]["test"]["steps"]

    for step in steps:
        if "run" in step:
            done = sh(machine, step["run"])
            assert done.returncode == 0, step["run"] + done.stdout + done.stderr

    assert {step["uses"] for step in steps if "uses" in step} == {
        *("actions/checkout@v7", "actions/setup-python@v7", "actions/upload-artifact@v7")
    }
    upload = steps[-1]["with"]["path"]
    assert (machine.folder / upload / "ci_test_results.json").exists()


def test_the_recipe_for_jenkins_runs_and_what_it_reads_is_there(machine):
    text = block("groovy")

    for line in re.findall(r"sh '(.+?)'", text):
        done = sh(machine, line)
        assert done.returncode == 0, line + done.stdout + done.stderr

    assert text.count("{") == text.count("}")
    (junit,) = re.findall(r"junit '(.+?)'", text)
    (report,) = re.findall(r"readFile\('(.+?)'\)", text)
    assert (machine.folder / junit).read_text().startswith("<?xml")
    assert '"new_failures": []' in (machine.folder / report).read_text()
