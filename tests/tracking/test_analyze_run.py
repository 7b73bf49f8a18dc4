import json

import pytest
from django.core.management.base import CommandError

from tests.factories import NINE, make_definition, make_environment, make_project, make_run, make_workflow
from tests.tracking.fakes import FakeCI, after, begin
from tracking import drive
from tracking.management.commands.analyze_run import Command
from tracking.models import TestRun

pytestmark = pytest.mark.django_db

SEED = """\
Analyzing test run: performance_20260104_093000_abc123
Test type: performance
Start time: 2026-01-04T09:30:00
Duration: 30.0 minutes
Expected workflows: 34
------------------------------------------------------------
Looking for workflows tagged with job_name: performance_20260104_093000_abc123
Found 34 workflows from this test run

📊 METRICS SUMMARY
----------------------------------------
Workflows completed: 34/34
Average Queue Time:     0.3 minutes
Average Execution Time: 3.5 minutes
Average Total Time:     3.8 minutes
Queue Impact:           8% of total
"""
SEED_LIST = """\
Available test runs:
------------------------------------------------------------
ID: performance_20260104_093000_abc123
  Type: performance
  Time: 2026-01-04T09:30:00
  Duration: 30.0 minutes
  Workflows: 34

ID: performance_20260104_083000_def456
  Type: performance
  Time: 2026-01-04T08:30:00
  Duration: 30.0 minutes
  Workflows: 34

"""


@pytest.fixture
def analyze(capsys, monkeypatch):
    # A command closes its connections when it ends; here the test's transaction is still open.
    monkeypatch.setattr("django.core.management.base.connections.close_all", lambda: None)

    def call(*arguments, code=0):
        try:
            Command().run_from_argv(["manage.py", "analyze_run", *arguments])
            ended = 0
        except SystemExit as end:
            ended = end.code
        done = capsys.readouterr()
        assert ended == code, done.out + done.err
        return done.out if code == 0 else done.err

    return call


def make_seed_run(test_run_id="performance_20260104_093000_abc123", begun=1800.0, **fields):
    run = make_run(test_run_id=test_run_id, status="passed", started_at=after(begun), duration=1800, **fields)
    for _ in range(34):
        make_workflow(run, queue=18.0, execution=210.0)
    return run


def test_the_analysis_is_that_of_the_first_document_word_for_word(analyze):
    make_seed_run()

    assert analyze().startswith(SEED)


def test_below_it_each_time_has_its_quantiles_and_where_it_came_from(analyze):
    make_seed_run()

    said = analyze()

    assert "n       mean        p50        p95        p99" in said
    assert "execution      34    3.5 min    3.5 min    3.5 min    3.5 min" in said
    assert "Obtained from: clock of the machine that ran it; quality: exact" in said


def test_the_list_is_that_of_the_first_document_word_for_word(analyze):
    make_seed_run("performance_20260104_083000_def456", begun=-1800.0)
    make_seed_run()

    assert analyze("--list") == SEED_LIST


def test_what_did_not_run_has_no_time(analyze):
    run = make_run(status="cancelled")
    make_workflow(run, "cancelled", status="intended")

    said = analyze()

    assert "Average Queue Time:     n/a" in said
    assert "Queue Impact:           n/a" in said
    assert "0.0 minutes" not in said.partition("METRICS")[2]


def test_a_workflow_with_another_tag_is_named_with_what_it_shows(analyze):
    run = make_run(status="passed")
    make_workflow(run)
    make_workflow(run, visible_tag="build")
    make_workflow(run, visible_tag="")

    said = analyze("--test-run-id", run.test_run_id)

    assert "Found 1 workflows from this test run" in said
    assert f"build_job #2: shows job_name 'build' instead of {run}" in said
    assert "build_job #3: its tag can't be seen, so nothing proves that it belongs to this run" in said
    assert "build_job #1" not in said


def test_without_an_id_it_is_the_latest_of_the_environment(analyze):
    first = make_run(environment=make_environment("aws-ecs"), status="passed")
    make_run(started_at=after(600), status="passed")

    assert f"Analyzing test run: {first}" in analyze("-e", "aws_ecs")
    assert f"Analyzing test run: {first}" not in analyze()


def test_the_list_holds_all_environments_unless_one_is_named(analyze):
    make_run(environment=make_environment("aws-ecs"), status="passed")
    make_run(started_at=after(600))

    assert analyze("--list").count("ID: ") == 2
    assert analyze("--list", "-e", "aws-ecs").count("ID: ") == 1


def test_a_long_list_is_cut_and_says_so(analyze):
    for number in range(3):
        make_run(started_at=after(number))

    said = analyze("--list", "--limit", "2")

    assert said.count("ID: ") == 2
    assert "There are more; --limit 8 shows them." in said
    assert "There are more" not in analyze("--list", "--limit", "3")


def test_the_list_costs_the_same_whatever_it_holds(analyze, django_assert_num_queries):
    for number in range(20):
        make_workflow(make_run(started_at=after(number)))

    with django_assert_num_queries(5):  # project twice, runs, their workflows, is there more
        analyze("--list")


def test_an_empty_project_says_what_to_do(analyze):
    make_project()

    assert "`run_tests -e ENV -t PROFILE` starts one." in analyze("--list")
    assert "`run_tests -e ENV -t PROFILE` starts one." in analyze(code=1)
    assert json.loads(analyze("--list", "--format", "json")) == []


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--test-run-id", "performance_20260104_093000_ffffff"], 1, "`analyze_run --list` shows"),
        (["--test-run-id", "moon"], 1, "An id looks like performance_20260104_093000_abc123."),
        (["--test-run-id", "performance_20260104_093000_abc123", "-e", "prod"], 1, "leave out -e"),
        (["-e", "moon"], 1, "There are: local."),
        (["-p", "moon"], 1, "There are: demo."),
        (["--list", "--limit", "0"], 2, "no whole number of at least 1"),
        (["--list", "--limit", "some"], 2, "no whole number of at least 1"),
    ],
)
def test_what_it_can_not_find_is_told_with_what_there_is(analyze, arguments, code, words):
    make_seed_run()

    assert words in analyze(*arguments, code=code)


def test_a_program_reads_seconds_and_null(analyze):
    run = make_run()
    make_workflow(run, queue=20, execution=30)
    make_workflow(run, conclusion="", status="queued", visible_tag="")

    answer = json.loads(analyze("--format", "json"))

    assert answer["workflows"] == {"total": 2, "completed": 1}
    assert answer["execution"]["mean"] == 30
    assert answer["found"] == 1
    assert answer["other_tags"] == [{"workflow": "build_job #2", "tag": None}]
    assert analyze("--list", "--format", "json").count(run.test_run_id) == 1


def test_times_of_a_service_are_as_good_as_its_stamps(analyze):
    service = FakeCI()
    run = begin(now=NINE)
    drive.advance(run, ci=service, now=NINE)
    service.finish_all(queue=20, execution=210)
    drive.advance(TestRun.objects.get(), ci=service, now=after(230))

    answer = json.loads(analyze("--format", "json"))

    assert answer["queue"] == {
        "n": 3,
        "mean": 20,
        "p50": 20,
        "p95": 20,
        "p99": 20,
        "unit": "s",
        "quality": "second",
    }
    assert answer["queue_share"] == pytest.approx(20 / 230)


def test_more_detail_names_every_workflow(analyze):
    run = make_run()
    make_workflow(run, "failure", queue=20, execution=30, reason="exit code 3")
    make_workflow(run, conclusion="", status="intended")

    said = analyze("-v")

    assert "  build_job #1 failure  queue 20 s  execution 30 s  (exit code 3)" in said
    assert "  build_job #2 intended" in said


def test_a_project_is_asked_for_where_several_could_be_meant():
    for slug in ("one", "two"):
        make_definition(project=make_project(slug))

    with pytest.raises(CommandError, match="There are: one, two"):
        Command().handle(
            list=True, limit=5, test_run_id=None, environment=None, project=None, format="text", detail=False
        )


def test_times_are_shown_in_utc(analyze):
    run = make_run(started_at=NINE)

    assert f"ID: {run}\n  Type: performance\n  Time: 2026-01-04T09:00:00\n" in analyze("--list")
