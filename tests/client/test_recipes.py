"""Every recipe of docs/client.md, tried as it stands there."""

import json
import os
import re
import subprocess
import sys

import pytest

from tests.client.sessions import PYTHON, ROOT, SOURCE, TOKEN, environment, where

PAGE = (ROOT / "docs" / "client.md").read_text()
LOADED = "-p runtrail.plugin"  # what an installed client does by itself


def blocks(language):
    found = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert found
    return found


def run_steps(project, text, receiver, **variables):
    """Run the `run:` lines of a step, as the shell of a CI service does."""
    programs = project.base / "bin"
    programs.mkdir(exist_ok=True)
    for name, words in (("pytest", "-m pytest"), ("runtrail-client", "-m runtrail")):
        (programs / name).write_text(f'#!/bin/sh\nexec {PYTHON} {words} "$@"\n')
        (programs / name).chmod(0o755)
    path = f"{programs}:{os.environ['PATH']}"
    known = environment(project.base, PATH=path, PYTEST_ADDOPTS=LOADED, **where(receiver), **variables)
    for command in re.findall(r"^ *run: (.+)$", text, re.MULTILINE):
        words = ["sh", "-c", command]
        done = subprocess.run(
            words, cwd=project.folder, env=known, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("language", "name"), [("ini", "pytest.ini"), ("toml", "pyproject.toml")])
def test_each_ini_file_records_every_session(project, receiver, language, name):
    project.write("test_a.py", "def test_a(): pass\n")
    (project.folder / "pytest.ini").unlink()
    texts = blocks(language)

    for text in texts:
        project.write(name, text)
        project.run(PYTEST_ADDOPTS=LOADED, **where(receiver))

    assert len(receiver.reports) == len(texts)


def test_the_editors_arguments_record_runs_and_not_the_discovery(project, receiver):
    project.write("test_a.py", "def test_a(): pass\n")
    (text,) = blocks("json")
    arguments = json.loads(text)["python.testing.pytestArgs"]

    project.run(*arguments, "--collect-only", PYTEST_ADDOPTS=LOADED, **where(receiver))
    assert not receiver.reports
    project.run(*arguments, "test_a.py::test_a", PYTEST_ADDOPTS=LOADED, **where(receiver))
    assert len(receiver.reports) == 1


@pytest.mark.parametrize("number", [0, 1])
def test_each_hook_records_the_tree_that_is_committed(project, receiver, number):
    programs = project.base / "bin"
    programs.mkdir()
    (programs / "python3").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (programs / "python3").chmod(0o755)
    known = {
        **environment(project.base, **where(receiver), PYTEST_ADDOPTS=LOADED),
        "PATH": f"{programs}:{os.environ['PATH']}",
        "RUNTRAIL_DATA": str(project.base / "data"),
    }

    def git(*words):
        person = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        return subprocess.run(
            ["git", *person, *words],
            cwd=project.folder,
            env=known,
            capture_output=True,
            text=True,
            check=False,
        )

    git("init", "-q", "-b", "main")
    hook = blocks("sh")[number].replace(
        "/path/to/runtrail/bin/runtrail", f"{sys.executable} {ROOT}/manage.py"
    )
    project.write(".git/hooks/pre-commit", hook).chmod(0o755)
    project.write("test_a.py", "def test_a(): pass\n")
    git("add", ".")

    done = git("commit", "-q", "-m", "good")

    assert done.returncode == 0, done.stdout + done.stderr
    assert receiver.lines()[0]["tree_hash"] == git("rev-parse", "HEAD^{tree}").stdout.strip()

    project.write("test_a.py", "def test_a(): assert 0\n")
    assert git("commit", "-q", "-a", "-m", "bad").returncode == 1
    assert len(receiver.reports) == 2


def test_the_steps_for_ci_send_what_ran(project, receiver):
    project.write("test_a.py", "def test_a(): pass\n")
    project.write("build/junit.xml", "<testsuites/>")
    steps = "\n".join(blocks("yaml"))

    run_steps(project, steps, receiver, CI="true")

    assert [request["query"]["space"] for request in receiver.requests] == ["ci", "ci"]
    assert receiver.reports[1] == b"<testsuites/>"
    assert {"RUNTRAIL_URL", "RUNTRAIL_TOKEN"} <= set(re.findall("RUNTRAIL_[A-Z]+", steps))


def test_every_variable_of_the_client_is_described():
    read = set()
    for path in (SOURCE / "runtrail").rglob("*.py"):
        read |= set(re.findall(r"\bRUNTRAIL_[A-Z_]+\b", path.read_text()))

    assert read <= set(re.findall(r"RUNTRAIL_[A-Z_]+", PAGE))
    assert TOKEN not in PAGE
