"""The command lines of docs/commands.md, run as they stand there."""

import re
import shlex
from pathlib import Path

import pytest
from django.core.management import call_command

from tests.tracking.fakes import begin, make_environment
from tracking.models import Environment, TestRun

TABLE = (Path(__file__).resolve().parents[2] / "docs/commands.md").read_text()
ROWS = re.findall(r"^\| `(.+?)` \| `(.+?)` \| (works|later) \|$", TABLE, re.MULTILINE)
WORKING = [ours for _, ours, state in ROWS if state == "works"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("data")]


def test_the_table_has_every_line_of_the_first_document():
    theirs = {line for line, _, state in ROWS if state == "works"}

    assert {line.split()[1] for line in theirs} == {"run_tests.py", "analyze_specific_test.py"}
    assert len(theirs) == 4


@pytest.mark.parametrize("line", WORKING)
def test_a_line_of_the_table_does_what_it_says(line, capsys):
    make_environment("local")
    run = begin(count=1)
    environment = Environment.objects.get()
    Environment.objects.filter(pk=environment.pk).update(name="aws-ecs")

    call_command(*shlex.split(line.replace("ID", run.test_run_id)))

    said = capsys.readouterr().out
    if line.startswith("run_tests"):
        assert TestRun.objects.exclude(pk=run.pk).get().status == "passed"
    assert str(run) in said or "Test Run ID:" in said
