from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import pytest
from django.db import connection, transaction

from access.models import Project
from tests.tracking.fakes import FakeCI, after, begin
from tracking import drive, lifecycle
from tracking.models import DayTiming, TestRun

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("conclusions", "status"),
    [
        (["success", "success"], "passed"),
        (["success", "skipped", "neutral"], "passed"),
        (["success", "failure"], "failed"),
        (["cancelled", "failure"], "failed"),
        (["failure", "timed_out"], "error"),
        (["success", "a word of tomorrow"], "error"),
        (["skipped"], "error"),
        ([], "error"),
    ],
)
def test_the_worst_conclusion_wins(conclusions, status):
    assert lifecycle.status_of(conclusions) == status


def test_a_run_stays_open_while_one_workflow_does():
    run = begin()
    run.workflow_runs.filter(position__lt=3).update(conclusion="success")

    assert not lifecycle.settle_run(run, now=after(60))
    assert TestRun.objects.get().is_running


def test_only_one_caller_settles_a_run():
    run = begin()
    run.workflow_runs.update(conclusion="success")

    assert lifecycle.settle_run(run, now=after(60))
    assert not lifecycle.settle_run(TestRun.objects.get(), now=after(61))
    assert list(run.events.values_list("kind", flat=True)) == ["started", "settled"]


def test_a_failed_run_says_which_workflow_failed_first_and_why():
    run = begin()
    run.workflow_runs.update(conclusion="success")
    run.workflow_runs.filter(position=2).update(conclusion="failure", reason="exit code 3")

    lifecycle.settle_run(run, now=after(60))

    assert run.reason == "1 of 3 workflows did not pass; the first: build_job #2 failed (exit code 3)"


def test_a_cancelled_run_sends_nothing_more():
    run = begin()

    assert lifecycle.request_cancel(run, by="ada", now=after(5))
    drive.advance(TestRun.objects.get(), ci=(service := FakeCI()), now=after(6))

    assert service.asked == []
    closed = TestRun.objects.get()
    assert (closed.status, closed.reason) == ("cancelled", "Cancelled by ada")


def test_a_second_wish_to_cancel_changes_nothing():
    run = begin()
    lifecycle.request_cancel(run, by="ada", now=after(5))

    assert not lifecycle.request_cancel(TestRun.objects.get(), by="bob", now=after(6))


def test_a_run_that_was_opened_again_says_who_cancelled_it_last():
    run = begin()
    lifecycle.request_cancel(run, by="ada", now=after(5))
    lifecycle.settle_run(run, now=after(6))
    lifecycle.reopen_run(run, now=after(60))
    run.workflow_runs.update(conclusion="")

    lifecycle.request_cancel(run, by="bob", now=after(65))
    lifecycle.settle_run(run, now=after(66))

    assert TestRun.objects.get().reason == "Cancelled by bob"


def test_a_run_that_ended_before_the_cancel_came_through_keeps_its_result():
    run = begin()
    service = FakeCI()
    drive.advance(run, ci=service, now=after(0))
    service.finish_all()
    lifecycle.request_cancel(run, by="ada", now=after(70))

    drive.advance(TestRun.objects.get(), ci=service, now=after(71))

    assert TestRun.objects.get().status == "passed"


def test_a_run_past_its_limit_is_an_error():
    run = begin()
    service = FakeCI()
    drive.advance(run, ci=service, now=after(0))

    drive.advance(TestRun.objects.get(), ci=service, now=after(601))
    drive.advance(TestRun.objects.get(), ci=service, now=after(602))

    closed = TestRun.objects.get()
    assert closed.status == "error"
    assert "limit of 600 s" in closed.reason


def test_the_figures_of_a_day_are_those_of_its_runs():
    for minute in range(3):
        service = FakeCI()
        run = begin(now=after(minute * 60))
        drive.advance(run, ci=service, now=after(minute * 60))
        service.finish_all("failure" if minute == 2 else "success", queue=10 + minute, execution=30)
        drive.advance(TestRun.objects.get(pk=run.pk), ci=service, now=after(minute * 60 + 50))

    day = DayTiming.objects.get()
    assert (day.passed, day.failed, day.timed) == (2, 1, 9)
    assert day.queue_sum == 3 * (10 + 11 + 12)
    assert day.duration_sum == 150


def test_a_word_of_tomorrow_closes_the_run_loudly():
    run = begin()
    run.workflow_runs.update(conclusion="success")
    run.workflow_runs.filter(position=1).update(conclusion="vaporized")

    lifecycle.settle_run(run, now=after(60))

    assert run.status == "error"
    assert "vaporized" in run.reason


@pytest.mark.strict
@pytest.mark.django_db(transaction=True)
def test_a_run_ends_while_a_report_of_its_project_is_being_written():
    run = begin()
    is_writing = transaction.atomic() if connection.vendor == "postgresql" else nullcontext()

    def close():
        try:
            return lifecycle.close_run(run, "passed", now=after(60))
        finally:
            connection.close()

    # Who writes a report holds the project, then wants its run; who closes the run must not want the project.
    with ThreadPoolExecutor(1) as pool, is_writing:
        if connection.in_atomic_block:
            Project.objects.select_for_update(no_key=True).get()
        assert pool.submit(close).result(timeout=10)
        TestRun.objects.running().update(bad_results=1)

    ended = TestRun.objects.get()
    assert (ended.status, ended.bad_results) == ("passed", 0)
