import json

import pytest
from django.core.management import CommandError, call_command

from tests.tracking.fakes import FakeCI, after, begin
from tracking import drive
from tracking.models import TestRun, WorkflowRun

pytestmark = pytest.mark.django_db


def analyze(capsys, *arguments):
    call_command("analyze_run", *arguments)
    return capsys.readouterr().out


def finished_run(*, queue=20, execution=210, minute=0, **step):
    service = FakeCI()
    run = begin(now=after(minute * 60), **step)
    drive.advance(run, ci=service, now=after(minute * 60))
    service.finish_all(queue=queue, execution=execution)
    drive.advance(TestRun.objects.get(pk=run.pk), ci=service, now=after(minute * 60 + queue + execution))
    return run


def test_the_analysis_says_word_for_word_what_its_document_shows(capsys):
    run = finished_run(count=34, queue=18, execution=210)

    assert analyze(capsys).splitlines()[:16] == [
        f"Analyzing test run: {run.test_run_id}",
        "Test type: performance",
        "Start time: 2026-01-04T09:00:00",
        "Duration: 3.8 minutes",
        "Expected workflows: 34",
        "-" * 60,
        f"Looking for workflows tagged with job_name: {run.test_run_id}",
        "Found 34 workflows from this test run",
        "",
        "📊 METRICS SUMMARY",
        "-" * 40,
        "Workflows completed: 34/34",
        "Average Queue Time:     0.3 minutes",
        "Average Execution Time: 3.5 minutes",
        "Average Total Time:     3.8 minutes",
        "Queue Impact:           8% of total",
    ]


def test_the_list_says_word_for_word_what_its_document_shows(capsys):
    older, newer = finished_run(), finished_run(minute=60)

    assert analyze(capsys, "--list").splitlines() == [
        "Available test runs:",
        "-" * 60,
        *(
            line
            for run, hour in ((newer, 10), (older, 9))
            for line in (
                f"ID: {run.test_run_id}",
                "  Type: performance",
                f"  Time: 2026-01-04T{hour:02}:00:00",
                "  Duration: 3.8 minutes",
                "  Workflows: 3",
                "",
            )
        ),
    ]


def test_without_a_name_the_latest_run_is_meant(capsys):
    finished_run()
    newer = finished_run(minute=60)

    assert str(newer) in analyze(capsys)


def test_what_did_not_run_is_not_zero(capsys):
    begin()

    said = analyze(capsys)

    assert "Average Queue Time:     n/a" in said
    assert "Queue Impact:           n/a" in said


def test_a_workflow_with_another_tag_is_named_with_what_it_shows(capsys):
    run = finished_run()
    WorkflowRun.objects.filter(position=2).update(visible_tag="build")
    WorkflowRun.objects.filter(position=3).update(visible_tag="")

    said = analyze(capsys)

    assert "Found 1 workflows from this test run" in said
    assert f"build_job #2: shows job_name 'build' instead of {run}" in said
    assert "build_job #3: its tag can't be seen" in said


def test_programs_get_seconds_and_null(capsys):
    finished_run()

    document = json.loads(analyze(capsys, "--format", "json"))

    assert document["queue"] == {
        "n": 3,
        "mean": 20,
        "p50": 20,
        "p95": 20,
        "p99": 20,
        "unit": "s",
        "quality": "second",
    }
    assert document["queue_share"] == pytest.approx(20 / 230)
    begin(now=after(3600))
    assert json.loads(analyze(capsys, "--format", "json"))["queue"] is None


def test_a_long_list_is_cut_and_says_so(capsys):
    for minute in range(3):
        begin(now=after(minute * 60))

    assert "There are more; --limit 8 shows them." in analyze(capsys, "--list", "--limit", "2")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--test-run-id", "performance_20200101_000000_abc123"], "analyze_run --list"),
        (["-e", "nowhere"], "has no environment 'nowhere'. There are: local"),
    ],
)
def test_what_does_not_exist_is_an_error_that_says_what_to_do(arguments, words):
    begin()

    with pytest.raises(CommandError, match=words):
        call_command("analyze_run", *arguments)
