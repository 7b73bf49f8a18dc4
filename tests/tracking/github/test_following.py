"""Whatever happens at GitHub, a run ends in the right state, with a plain reason."""

from datetime import timedelta

import pytest

from tests.github_double import Behaviour
from tests.tracking.github.github_run import pass_time
from tracking.closing import end_latecomers
from tracking.lifecycle import request_cancel
from tracking.models import TestRun, WorkflowAttempt, WorkflowRun

pytestmark = pytest.mark.django_db


def first_of(desk):
    return desk.world.runs[min(desk.world.runs)]


def test_a_partial_re_run_decides_and_leaves_out_the_jobs_it_took_over(desk):
    desk.world.behaviour = lambda run: (
        Behaviour(jobs=("lint", "test"), conclusion="failure")
        if len(run.attempts) == 1
        else Behaviour(queue=7, execution=11, jobs=("lint", "test"))
    )
    service = desk.service()
    run = desk.begin(1)
    pass_time(desk, run, service, 10)
    found = first_of(desk)
    pass_time(desk, run, service, 20)
    found.attempts[0].jobs[0].conclusion = "success"
    run = TestRun.objects.get(pk=run.pk)
    assert run.status == "failed"

    desk.world.rerun(found, only_failed=True)
    desk.deliver()
    run = TestRun.objects.get(pk=run.pk)
    assert run.status == "running"
    run = desk.until_closed(run, service)

    assert run.status == "passed", run.reason
    first, second = WorkflowAttempt.objects.order_by("number")
    assert (first.conclusion, first.queue, first.execution) == ("failure", 5, 20)
    assert (second.conclusion, second.queue, second.execution) == ("success", 7, 11)
    assert [job.total for job in second.jobs.order_by("name")] == [None, 18]
    assert list(run.events.filter(kind__in=["attempt", "reopened"]).values_list("kind", flat=True)) == [
        "attempt",
        "reopened",
    ]


def test_a_cancel_here_ends_the_workflows_there(desk):
    desk.world.behaviour = lambda run: Behaviour(execution=600)
    service = desk.service()
    run = desk.begin(3)
    pass_time(desk, run, service, 20)

    request_cancel(TestRun.objects.get(pk=run.pk), by="ada", now=desk.now)
    run = desk.until_closed(TestRun.objects.get(pk=run.pk), service)

    assert run.status == "cancelled"
    assert {one.attempts[-1].conclusion for one in desk.world.runs.values()} == {"cancelled"}
    assert len(desk.server.calls("POST", r"/cancel$")) == 3


def test_a_cancel_that_is_refused_is_asked_for_by_force(desk):
    desk.world.behaviour = lambda run: Behaviour(execution=6000)
    desk.world.faults.refuse_cancel = True
    service = desk.service()
    run = desk.begin(2)
    pass_time(desk, run, service, 20)

    request_cancel(TestRun.objects.get(pk=run.pk), by="ada", now=desk.now)
    run = desk.until_closed(TestRun.objects.get(pk=run.pk), service)

    assert run.status == "cancelled"
    assert len(desk.server.calls("POST", r"/cancel$")) == 2
    assert len(desk.server.calls("POST", r"/force-cancel$")) == 2


def test_a_cancel_there_is_seen_here(desk):
    desk.world.behaviour = lambda run: Behaviour(execution=600)
    service = desk.service()
    run = desk.begin(2)
    pass_time(desk, run, service, 20)

    for found in desk.world.runs.values():
        desk.world.cancel(found)
    run = desk.until_closed(TestRun.objects.get(pk=run.pk), service)

    assert run.status == "cancelled"
    assert run.duration < timedelta(minutes=2)


def test_a_deleted_run_is_said_to_be_gone(desk):
    desk.world.behaviour = lambda run: Behaviour(execution=600)
    service = desk.service()
    run = desk.begin(2)
    pass_time(desk, run, service, 20)

    desk.world.delete(first_of(desk))
    run = desk.until_closed(TestRun.objects.get(pk=run.pk), service)

    assert run.status == "error"
    assert "somebody deleted it" in run.workflow_runs.get(position=1).reason
    assert run.workflow_runs.get(position=2).conclusion == "success"


def test_what_could_not_start_is_found_without_a_message(desk):
    desk.world.faults.startup_failure = {2}

    run = desk.until_closed(desk.begin(3))

    assert run.status == "error"
    broken = run.workflow_runs.get(position=2)
    assert (broken.conclusion, broken.reason) == (
        "startup_failure",
        "GitHub could not start it: its workflow file is not valid.",
    )


def test_a_workflow_that_is_queued_for_ever_ends_with_the_time_limit(desk):
    desk.world.faults.never_starts = {2}

    run = desk.until_closed(desk.begin(3, timeout=900))

    assert run.status == "error"
    assert run.reason == "The run took longer than its limit of 900 s and was ended."
    assert run.duration < timedelta(seconds=900 + 400)
    assert not run.workflow_runs.open().exists()


def test_a_renamed_repository_is_followed_by_its_number(desk):
    service = desk.service()
    run = desk.begin(steps=[{"workflow": "build_job.yml", "count": 4, "spacing": 60, "inputs": {}}])
    pass_time(desk, run, service, 70)

    desk.world.rename(desk.repo, "acme/store")
    run = desk.until_closed(run, service)

    assert run.status == "passed", run.reason
    assert len(desk.world.runs) == 4


def test_a_crash_between_request_and_answer_sends_nothing_twice(desk):
    """kill -9 of the worker in mid dispatch: the row says `sending`, GitHub has the run or not."""
    service = desk.service()
    run = desk.begin(3)
    desk.look(run, service)
    arrived, other, _ = run.workflow_runs.order_by("position")
    for row in (arrived, other):
        WorkflowRun.objects.filter(pk=row.pk).update(
            dispatch_state="sending", github_run_id=None, repository_id=None, attempt=0
        )
    desk.world.delete(desk.world.runs[other.github_run_id])  # as if it had never come there
    desk.world.messages.clear()
    desk.hooks = False

    run = desk.until_closed(run, service)

    assert run.status == "passed", run.reason
    assert run.workflow_runs.get(position=1).github_run_id == arrived.github_run_id
    assert len(desk.world.runs) == 3
    assert run.workflow_runs.get(position=2).resent == 1


def test_a_run_that_turns_up_after_it_was_sent_again_is_cancelled_as_one_too_many(desk):
    desk.world.faults.drop_after = {1}
    desk.world.faults.list_lag = 900  # longer than GITHUB_UNKNOWN_WAIT
    desk.world.behaviour = lambda run: Behaviour(queue=3000)
    desk.hooks = False

    run = desk.until_closed(desk.begin(1, timeout=7200), most=9000)

    assert run.status == "passed", run.reason
    kept = run.workflow_runs.get().github_run_id
    assert {one.id: one.attempts[-1].conclusion for one in desk.world.runs.values()} == {
        min(desk.world.runs): "cancelled",
        kept: "success",
    }
    assert "one too many" in run.events.get(kind="surplus").text


def test_what_turns_up_after_its_run_was_cancelled_and_closed_is_cancelled_too(desk):
    desk.world.faults.drop_after = {1}
    desk.world.faults.list_lag = 5000
    desk.world.behaviour = lambda run: Behaviour(queue=3000, execution=900)
    desk.hooks = False
    service = desk.service()
    run = desk.begin(1)
    pass_time(desk, run, service, 20)
    request_cancel(TestRun.objects.get(pk=run.pk), by="ada", now=desk.now)
    run = desk.until_closed(TestRun.objects.get(pk=run.pk), service)
    assert (run.status, len(desk.server.calls("POST", r"/cancel$"))) == ("cancelled", 0)

    desk.hooks = True
    (late,) = desk.world.runs.values()
    desk.world.advance(3000)  # it gets its runner, and a message says so
    desk.deliver()
    ended = [end_latecomers(run, ci=service, now=desk.now) for _ in range(2)]

    assert ended == [1, 0]
    assert TestRun.objects.get(pk=run.pk).status == "cancelled"
    desk.world.advance(60)
    assert late.attempts[-1].conclusion == "cancelled"
    assert "turned up after the run had been cancelled" in run.events.get(kind="surplus").text
