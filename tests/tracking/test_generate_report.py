"""One file about a run, in three forms, that needs nothing from elsewhere."""

import json
import re

import pytest
from django.core.management import CommandError, call_command

from tests.factories import make_run, make_workflow

pytestmark = pytest.mark.django_db


@pytest.fixture
def run():
    before = make_run(status="passed", test_run_id="performance_20260103_093000_abc123")
    made = make_run(status="failed", rerun_of=before, branch="<b>main</b>")
    for number in range(12):
        make_workflow(before, "success", queue=10 + number, execution=100 + number, position=number + 1)
        make_workflow(made, "success", queue=70 + number, execution=100 + number, position=number + 1)
    make_workflow(made, "failure", queue=5, execution=9, position=13, reason="exit 1 | see\nthe log")
    return made


def test_the_html_is_one_file_that_asks_nobody(run, tmp_path, capsys):
    file = tmp_path / "report.html"

    call_command("generate_report", test_run_id=run.test_run_id, format="html", output=file)

    text = file.read_text()
    assert not re.search(r"""(src|href)=["'](?!#)|@import|url[(]""", text)
    assert "performance_20260103_093000_abc123" in text
    assert "slower" in text
    assert "&lt;b&gt;main" in text
    assert "failure" in text


def test_the_latest_run_is_taken_without_an_id(run, capsys):
    call_command("generate_report")

    text = capsys.readouterr().out
    assert text.startswith(f"# {run.test_run_id}")
    assert r"| failure | exit 1 \| see the log |" in text, "a table's row stays one line"


def test_json_is_for_programs(run, capsys):
    call_command("generate_report", test_run_id=run.test_run_id, format="json")

    data = json.loads(capsys.readouterr().out)
    assert data["times"]["queue"]["n"] == 13
    assert data["comparison"]["is_original"] is True
    assert [row["position"] for row in data["failed"]] == [13]


def test_a_file_that_can_not_be_written_is_said(run, tmp_path):
    with pytest.raises(CommandError, match="can't be written"):
        call_command("generate_report", output=tmp_path / "nowhere" / "x.md")
