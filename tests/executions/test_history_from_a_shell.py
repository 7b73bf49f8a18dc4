"""`import_report`, `stats` and `report` from a shell, and the classes of scripts."""

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from executions.execution_schema import ExecutionDatabase, ExecutionHistory
from executions.models import CaseStatistics, Report, Result
from executions.statistics_calculator import StatisticsCalculator
from tests.factories import make_project
from tracking.models import TestRun

pytestmark = pytest.mark.django_db
FAILED = "<failure message='no'>trace</failure>"


@pytest.fixture
def project():
    return make_project("shop")


def told(*arguments):
    out = io.StringIO()
    call_command(*arguments, stdout=out, stderr=out)
    return out.getvalue()


def write(path, number, **cases):
    rows = "".join(
        f"<testcase classname='m' name='{name}' time='1'>{body}</testcase>" for name, body in cases.items()
    )
    at = timezone.now() - timedelta(hours=50 - number)
    path.write_text(f"<testsuite timestamp='{at:%Y-%m-%dT%H:%M:%S}'>{rows}</testsuite>")
    return str(path)


@pytest.fixture
def history(project, tmp_path):
    """Ten runs of one commit in each space: `steady` passes, `shaky` fails each fifth time in CI."""
    for number in range(10):
        shaky = FAILED if number % 5 == 4 else ""
        for space, body in (("ci", shaky), ("local", "")):
            file = write(tmp_path / f"{space}{number}.xml", number, steady="", shaky=body)
            told("import_report", file, "--project", "shop", "--space", space, "--commit", "a" * 40)
    return project


def test_reports_are_taken_in_and_said(project, tmp_path):
    file = write(tmp_path / "r.xml", 1, a="", b=FAILED)

    first = told("import_report", file, "--project", "shop", "-e", "staging", "--test-run-id", "ci-9-1")
    again = told("import_report", file, "--project", "shop", "-e", "staging", "--test-run-id", "ci-9-1")

    assert "junit, 2 tests: 1 passed, 1 failed, 0 error, 0 skipped → ci-9-1" in first
    assert "was there already" in again
    assert TestRun.objects.get().environment.name == "staging"
    assert Result.objects.count() == 2


def test_what_became_of_each_file_can_be_had_as_json_also_where_one_is_refused(project, tmp_path):
    good, bad = write(tmp_path / "good.xml", 1, a="", b=FAILED), tmp_path / "bad.xml"
    bad.write_text("<testsuite><testcase")
    out = io.StringIO()

    with pytest.raises(CommandError, match="1 of 2 files were not taken"):
        call_command(
            *("import_report", good, str(bad), "--project", "shop", "--format", "json"),
            stdout=out,
            stderr=io.StringIO(),
        )

    taken, refused = json.loads(out.getvalue())
    assert (taken["status"], taken["total"], taken["failed"], taken["is_new"]) == ("stored", 2, 1, True)
    assert taken["test_run_id"] == TestRun.objects.get().test_run_id
    assert refused["status"] == "refused"
    assert "ends too early" in refused["reason"]


def test_a_file_that_is_no_report_exits_with_what_was_wrong(project, tmp_path):
    good, bad = write(tmp_path / "good.xml", 1, a=""), tmp_path / "bad.xml"
    bad.write_text("<testsuite><testcase")

    with pytest.raises(CommandError, match="1 of 2 files were not taken"):
        told("import_report", good, str(bad), "--project", "shop")

    assert sorted(Report.objects.values_list("status", flat=True)) == ["refused", "stored"]


def test_why_a_file_was_not_taken_is_said_once_and_in_words(project, tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("hello")

    with pytest.raises(CommandError, match="2 of 2 files"):
        call_command("import_report", f"{tmp_path}/notes.txt", f"{tmp_path}/gone.xml", "--project", "shop")

    notes, gone = capsys.readouterr().err.splitlines()
    assert notes.startswith(f"No report was found. {tmp_path}/notes.txt: The format is unknown")
    assert gone == f"{tmp_path}/gone.xml: No such file or directory"


@pytest.mark.parametrize(
    "line",
    [
        *(
            "stats show",
            "stats flaky",
            "stats rebuild",
            "report test-execution",
            "report comparison --local-vs-ci",
        ),
        *("ci list", "ci show --latest"),
    ],
)
def test_the_project_has_a_short_option_in_every_form_of_a_command(project, line):
    make_project("other")

    typed = [*line.split(), "-p", "shop"]

    if line.startswith("ci"):
        with pytest.raises(CommandError, match="shop names no repository"):
            told(*typed)
    else:
        told(*typed)


def test_stats_show_gives_both_spaces_together_and_each(history):
    shown = told("stats", "show", "--project", "shop", "--type", "test")

    heads = [line for line in shown.splitlines() if line and not line.startswith(" ")]
    assert heads == [
        "all: 2 tests, 40 results, 2 failed",
        "local: 2 tests, 20 results, 0 failed",
        "ci: 2 tests, 20 results, 2 failed",
    ]


def test_stats_flaky_goes_by_threshold_and_window(history):
    def listed(*more):
        return json.loads(told("stats", "flaky", "--project", "shop", "--format", "json", *more))

    (one,) = listed("--threshold", "10", "--window", "50")
    assert (one["nodeid"].rpartition("::")[2], one["kind"], one["space"]) == ("shaky", "flaky", "ci")
    assert one["failure_rate"] == 0.2
    assert listed("--threshold", "21") == []
    assert listed("--space", "local") == []
    with pytest.raises(CommandError, match="percentage"):
        listed("--threshold", "101")


def test_stats_rebuild_says_what_it_put_right(history):
    assert "right to the last row" in told("stats", "rebuild", "--project", "shop")

    CaseStatistics.objects.filter(case__nodeid__endswith="shaky", space="ci").update(failed=7)

    assert "failed was 7, is 2" in told("stats", "rebuild", "--project", "shop")
    assert "right to the last row" in told("stats", "rebuild", "--project", "shop")


@pytest.mark.parametrize(
    "what", [["test-execution"], ["comparison", "--local-vs-ci"]], ids=["execution", "spaces"]
)
def test_reports_are_written_in_every_form(history, tmp_path, what):
    def written(form):
        file = tmp_path / f"out.{form}"
        told("report", *what, "--project", "shop", "--format", form, "--window", "7", "--output", str(file))
        return file.read_text()

    rows = list(csv.DictReader(io.StringIO(written("csv"))))
    data = json.loads(written("json"))
    assert len(rows) == len(data["tests"]) > 1
    assert rows[0]["nodeid"].endswith("shaky")
    assert rows[0]["suite"] == "", "an empty cell is no formula"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", data["generated_at"])
    for form in ("html", "md"):
        assert "shaky" in written(form)
    assert "http" not in written("html").replace("http://www.w3.org", "")


def test_one_space_can_be_reported_alone(history):
    data = json.loads(
        told("report", "test-execution", "--project", "shop", "--space", "ci", "--format", "json")
    )

    assert {row["space"] for row in data["tests"]} == {"ci"}
    assert data["executions"] == {
        "passed": 18,
        "failed": 2,
        "error": 0,
        "skipped": 0,
        "xfailed": 0,
        "xpassed": 0,
    }
    assert data["failure_rate"] == 0.1


def test_a_second_database_in_one_process_is_refused_and_not_mistaken_for_the_first(project, tmp_path):
    for place in (tmp_path / "history.db", "postgresql://elsewhere/history"):
        with pytest.raises(ValueError, match="This process uses another database already"):
            ExecutionDatabase(place, project="shop")

    assert ExecutionDatabase(settings.DATABASES["default"]["NAME"], project="shop").project == project


def test_a_script_adds_records_and_reads_statistics(project):
    database = ExecutionDatabase(project="shop")
    at = datetime(2026, 2, 2, 14, 30, 52, tzinfo=UTC)
    for number, status in enumerate(["PASSED", "FAILED", "SKIPPED"]):
        database.insert_execution_history(
            ExecutionHistory(
                execution_id=f"local-20260202-14305{number}",
                entity_id="tests/test_models.py::test_validation",
                timestamp=at + timedelta(seconds=number),
                status=status,
                duration=0.125,
                metadata={"source": "run_local_tests.py"},
            )
        )

    found = database.get_execution_history("tests/test_models.py::test_validation", space="local")
    assert [one.status for one in found] == ["SKIPPED", "FAILED", "PASSED"]
    assert found[2].execution_id == "local-20260202-143050"
    (one,) = StatisticsCalculator(database).calculate_all_stats()
    assert (one.total_runs, one.passed, one.failed, one.skipped, one.failure_rate) == (3, 1, 1, 1, 0.5)
    assert (one.avg_duration, one.last_failure) == (0.125, at + timedelta(seconds=1))
    database.update_entity_statistics(one)
