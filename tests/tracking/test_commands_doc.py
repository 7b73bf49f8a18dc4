"""The command lines of docs/commands.md, run as they stand there."""

import re
import shlex
from pathlib import Path

import pytest
from django.core.management import call_command, load_command_class

from tests.executions.test_run_local_tests import desk
from tests.factories import make_definition, make_environment, make_run, make_workflow
from tests.shared_data import shared_folder
from tracking.models import TestRun

TABLE = (Path(__file__).resolve().parents[2] / "docs/commands.md").read_text()
ROWS = re.findall(r"^\| (\d{3}) \| `(.+?)` \| `(.+?)`.*? \| (works|later) \|$", TABLE, re.MULTILINE)
WORKING = [ours for document, _, ours, state in ROWS if state == "works" and document == "000"]
LATER = {ours for document, _, ours, state in ROWS if state == "works" and document == "004"}
CI = sorted(ours for ours in LATER if ours.startswith(("sync_ci", "ci ")))  # in test_sync_ci_command.py
HISTORY = sorted(LATER - set(CI))
A_COMMAND = re.compile(
    r"(?:run: |sh ')?((?:python (?:scripts/)?\w+\.py|\./test_batch_integration\.sh"
    r"|python -m (?:anvil|lens)\S*|scout ci)[^`'|\n]*)"
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("data")]


def test_the_first_documents_lines_all_work():
    theirs = {line for document, line, _, state in ROWS if document == "000" and state == "works"}

    assert {line.split()[-1] for line in theirs if "report" in line} == {"generate_report.py"}
    assert len(theirs) == 5


@pytest.mark.parametrize("document", ["000", "003", "004"])
def test_every_line_of_the_documents_is_in_the_table(document):
    (page,) = (shared_folder("..") / "seeds").glob(f"{document}_*")
    listed = {line for _, line, *_ in ROWS}

    for line in page.read_text().splitlines():
        if found := A_COMMAND.match(line.strip()):
            command = found[1].split("#")[0].strip()
            assert command in listed, command


@pytest.mark.parametrize("line", WORKING)
def test_a_line_of_the_table_does_what_it_says(line, capsys):
    make_definition(steps=[{"command": ["true"]}])
    name = "performance_20260104_093000_abc123"
    run = make_run(test_run_id=name, environment=make_environment("aws-ecs"), status="passed")
    make_workflow(run)

    call_command(*shlex.split(line))

    said = capsys.readouterr().out
    if line.startswith("run_tests"):
        assert TestRun.objects.exclude(pk=run.pk).get().status == "passed"
        assert "Test Run ID: performance_" in said
    else:
        assert name in said


def test_most_lines_of_the_local_history_work():
    assert len(HISTORY) > 15


@pytest.mark.parametrize("line", HISTORY)
def test_a_line_of_the_local_history_does_what_it_says(line, capfd, tmp_path):
    make_environment("local")
    for path in ("forge/tests/test_models.py", "anvil/tests/test_anvil.py", "scout/tests/test_scout.py"):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text("def test_validation():\n    pass\n")
    name, *arguments = shlex.split(line)

    with desk(tmp_path):
        load_command_class("executions", name).run_from_argv(["manage.py", name, *arguments])

    said = capfd.readouterr().out
    if line.startswith("run_local_tests"):
        count = 1 if "/" in line.replace(".anvil/", "") else 3
        assert TestRun.objects.get().result_set.passed == count
        assert TestRun.objects.get().space == "local"
    elif "--output" in line:
        assert (tmp_path / shlex.split(line)[-1]).read_text().startswith("<!DOCTYPE html>")
    else:
        assert said
