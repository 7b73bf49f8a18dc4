import itertools

import pytest

from tests.tracking.fakes import FakeCI, after, begin
from tracking import drive
from tracking.models import TestRun, WorkflowAttempt, WorkflowJob, WorkflowRun
from tracking.observe import apply_observation
from tracking.timing import time_run

pytestmark = pytest.mark.django_db


def step(service, seconds):
    return drive.advance(TestRun.objects.get(), ci=service, now=after(seconds))


def test_a_run_goes_from_sent_to_passed_with_its_times():
    begin()
    service = FakeCI()

    step(service, 0)
    service.finish_all(queue=20, execution=30)
    step(service, 50)

    run = TestRun.objects.get()
    times = time_run(run)
    assert (run.status, run.completed_at) == ("passed", after(50))
    assert (times.queue.mean, times.execution.mean, times.total.mean) == (20, 30, 50)
    assert times.queue_share == pytest.approx(0.4)
    assert (times.quality, times.method) == ("second", "api")


def test_driving_again_sends_nothing_again():
    begin()
    service = FakeCI()

    for seconds in range(4):
        step(service, seconds)

    assert len(service.asked) == 3


def test_a_driver_that_died_after_sending_and_before_noting_it_sends_no_second_workflow():
    begin()
    service = FakeCI()
    step(service, 0)
    WorkflowRun.objects.filter(position=1).update(dispatch_state="intended", sent_at=None)

    step(service, 1)

    assert len(service.runs) == 3


def test_no_more_than_at_most_are_in_flight():
    begin(count=5, at_most=2)
    service = FakeCI()

    step(service, 0)
    assert len(service.runs) == 2

    service.finish(next(iter(service.runs)))
    step(service, 60)
    step(service, 61)
    assert len(service.runs) == 3


def test_workflows_go_out_when_they_are_due():
    run = begin(count=3, spacing=10)
    service = FakeCI()

    step(service, 0)
    assert len(service.runs) == 1
    assert drive.next_due(run, now=after(4)) == pytest.approx(6)

    step(service, 21)
    assert len(service.runs) == 3
    assert drive.next_due(run, now=after(22)) is None


def test_a_workflow_that_is_refused_does_not_stop_the_others():
    begin()
    service = FakeCI(refuse={2})

    step(service, 0)
    service.finish_all()
    step(service, 60)

    run = TestRun.objects.get()
    assert run.status == "error"
    assert "build_job #2 could not start (no such workflow)" in run.reason


def test_a_fault_found_before_the_first_workflow_sends_nothing():
    begin()
    service = FakeCI(faults=["There is no build_job.yml."])

    step(service, 0)

    run = TestRun.objects.get()
    assert (run.status, service.asked) == ("error", [])
    assert run.reason == "Nothing was sent. There is no build_job.yml."


def test_a_silent_service_is_said_once_and_tried_again():
    begin()
    service = FakeCI(silent=True)
    for seconds in range(3):
        step(service, seconds)
    assert TestRun.objects.get().events.filter(kind="waiting").count() == 1

    service.silent = False
    step(service, 5)
    service.finish_all()
    step(service, 60)

    assert TestRun.objects.get().status == "passed"


def test_what_was_skipped_has_no_time_and_counts_in_no_mean():
    begin()
    service = FakeCI()
    step(service, 0)
    first, *rest = service.runs
    service.finish(first, "skipped")
    for dispatch_id in rest:
        service.finish(dispatch_id, queue=10, execution=10)
    step(service, 60)

    times = time_run(TestRun.objects.get())
    assert (times.completed, times.queue.n, times.queue.mean) == (3, 2, 10)


def test_a_later_attempt_keeps_the_earlier_one_and_decides():
    run = begin(count=1)
    service = FakeCI()
    step(service, 0)
    (dispatch_id,) = service.runs
    service.finish(dispatch_id, "failure")
    first = service.runs[dispatch_id]
    service.rerun(dispatch_id, at=after(100))
    service.finish(dispatch_id, "success", queue=5, execution=10)
    second = service.runs[dispatch_id]

    for remote in (first, second, first):
        workflow = WorkflowRun.objects.prefetch_related("attempts").get()
        apply_observation(workflow, remote, clock="api", now=after(120))

    workflow = WorkflowRun.objects.get()
    assert (workflow.attempt, workflow.conclusion) == (2, "success")
    assert list(WorkflowAttempt.objects.values_list("conclusion", flat=True)) == ["failure", "success"]
    assert time_run(run).queue.mean == 5


def test_observations_in_any_order_end_in_the_same_rows():
    begin(count=1)
    service = FakeCI()
    step(service, 0)
    (dispatch_id,) = service.runs
    queued = service.runs[dispatch_id]
    service.start(dispatch_id)
    going = service.runs[dispatch_id]
    service.finish(dispatch_id)
    done = service.runs[dispatch_id]

    outcomes = set()
    for order in itertools.permutations([queued, going, done, done]):
        WorkflowAttempt.objects.all().delete()
        WorkflowRun.objects.update(conclusion="", attempt=0)
        for remote in order:
            workflow = WorkflowRun.objects.prefetch_related("attempts").get()
            apply_observation(workflow, remote, clock="api", now=after(99))
        fields = ("status", "conclusion", "created_at", "started_at", "completed_at", "queue", "execution")
        outcomes.add(tuple(WorkflowJob.objects.values_list(*fields)))

    assert len(outcomes) == 1


def test_a_lease_has_one_holder_until_it_ends():
    run = begin()

    assert drive.take_lease(run.pk, "first", now=after(0))
    assert not drive.take_lease(run.pk, "second", now=after(29))
    assert drive.take_lease(run.pk, "first", now=after(29))
    assert not drive.take_lease(run.pk, "second", now=after(58))
    assert drive.take_lease(run.pk, "second", now=after(60))


def test_a_lease_given_back_can_be_taken_at_once_and_only_by_its_holder():
    run = begin(driver="first")

    drive.release(run.pk, "second")
    assert not drive.take_lease(run.pk, "second", now=after(1))
    drive.release(run.pk, "first")
    assert drive.take_lease(run.pk, "second", now=after(1))


def test_a_run_that_has_ended_can_not_be_driven():
    run = begin()
    run.workflow_runs.update(conclusion="success")
    step(FakeCI(), 1)

    assert not drive.take_lease(run.pk, "anybody", now=after(2))
    assert not step(FakeCI(), 3)


def test_who_sends_for_long_keeps_the_lease_and_stops_when_another_has_it():
    begin(count=34)
    service, held = FakeCI(), iter([True, True, False])

    drive.advance(TestRun.objects.get(), ci=service, now=after(0), renew=lambda: next(held))

    assert len(service.asked) == 14
    assert TestRun.objects.get().workflow_runs.unsent().count() == 20
    step(service, 1)
    assert len(set(service.asked)) == len(service.asked) == 34
