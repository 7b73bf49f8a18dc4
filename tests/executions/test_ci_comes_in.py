"""Runs of CI that Runtrail did not send come in by themselves, with what they reported."""

import pytest

from executions.models import CISync, Report, ResultSet, SyncedRun
from executions.recount import recount
from tests.executions.ci_of_others import NEW, OLD, Elsewhere, junit, zipped
from tests.factories import make_run, make_workflow
from tests.github_double import Behaviour
from tracking.api.serializers import WorkflowRunSerializer
from tracking.models import CallCount, TestRun, WorkflowJob
from tracking.tracking_file import tracking_data

pytestmark = pytest.mark.django_db


@pytest.fixture
def ci():
    made = Elsewhere()
    with made.server:
        yield made
    assert made.server.violations == []


def by_id(run, job):
    return TestRun.objects.get(test_run_id=f"ci-{run.id}-{job.id}")


def lines():
    """What the uploads page says: status and reason or first remark."""
    rows = Report.objects.order_by("pk").values_list("status", "reason", "problems")
    return [(status, reason or (problems or [""])[0]) for status, reason, problems in rows]


def test_each_finished_job_is_a_test_run_with_its_results_and_times(ci):
    run = ci.push(OLD, NEW, conclusions={NEW: "failure"})
    ci.world.leave(run, "test-results-ubuntu-latest-3.11", zipped(junit_xml=junit("a", "b")))
    ci.world.leave(
        run, "test-results-ubuntu-latest-3.12", zipped(out__junit_xml=junit("a", "b", failed=("b",)))
    )

    done = ci.sync()

    assert (done.runs, done.jobs, done.reports, done.said, done.problem) == (1, 2, 2, [], "")
    old, new = (by_id(run, job) for job in run.attempts[0].jobs)
    assert (old.status, new.status, new.reason) == ("passed", "failed", "1 of 2 tests failed.")
    assert (old.space, old.branch, old.commit_sha, old.tree_hash) == (
        *("ci", "main", "a" * 40),
        ci.repo.tree_of("a" * 40),
    )
    assert old.metadata["platform"] == "ubuntu-latest"
    assert (old.metadata["python_version"], new.metadata["python_version"]) == ("3.11", "3.12")
    assert tracking_data(old, old.completed_at)["workflow_ids"] == [run.id]
    told = WorkflowRunSerializer(new.workflow_runs.get(), context={"jobs": {}}).data
    assert (told["githubRunId"], told["name"]) == (run.id, NEW)
    assert ResultSet.objects.get(run=old).passed == 2
    assert WorkflowJob.objects.filter(queue=5, execution=20, runner_name__gt="").count() == 2
    assert list(recount(ci.project, repair=False)) == []


def test_what_is_there_is_not_fetched_again(ci):
    for _ in range(3):
        ci.world.leave(ci.push(), "junit", zipped(r_xml=junit("a")))
    ci.sync()
    ci.called()

    done = ci.sync()

    assert (done.runs, done.jobs, done.reports) == (3, 0, 0)
    assert ci.called() == ["/actions/runs"]
    assert ci.history().client.transport.turns.tally["calls"] == 0


def test_an_unchanged_list_costs_nothing_of_github_s_hour(ci):
    ci.push()
    ci.sync()
    ci.server.log.clear()

    ci.sync()

    assert [call.conditional for call in ci.server.calls("GET", "runs$")] == [True]
    assert CallCount.objects.get().not_modified == 1


def test_a_run_that_goes_on_gives_its_finished_jobs_and_the_next_sync_the_rest(ci):
    run = ci.push(OLD, NEW, seconds=16, early=(OLD,))
    ci.world.leave(run, "results-3.11", zipped(r_xml=junit("a")))

    ci.world.leave(run, "results-ubuntu-latest-3.11", zipped(r_xml=junit("a")))
    first = ci.sync()

    assert (first.jobs, first.reports) == (1, 1)
    assert TestRun.objects.get().status == "passed"
    ci.world.leave(run, "results-ubuntu-latest-3.12", zipped(r_xml=junit("a", "b")))
    ci.world.advance(60)
    second = ci.sync()
    assert (second.jobs, SyncedRun.objects.get().is_whole) == (1, True)
    assert by_id(run, run.attempts[0].jobs[1]).result_set.passed == 2


def test_a_job_of_a_tracked_run_adds_to_that_run(ci):
    tracked = make_run(test_run_id="performance_20260104_093000_abc123", status="passed")
    TestRun.objects.filter(pk=tracked.pk).update(project=ci.project)
    tracked.refresh_from_db()
    run = ci.push()
    make_workflow(tracked, service="github", github_run_id=run.id)
    ci.world.leave(run, "junit", zipped(r_xml=junit("a", "b", failed=("a",))))

    done = ci.sync()

    tracked.refresh_from_db()
    assert (done.jobs, done.reports) == (0, 1)
    assert TestRun.objects.get() == tracked
    assert (tracked.result_set.passed, tracked.result_set.failed, tracked.status) == (1, 1, "failed")


def test_a_workflow_whose_title_shows_a_tag_belongs_to_that_run(ci):
    tracked = make_run(test_run_id="performance_20260104_093000_abc123", status="passed")
    TestRun.objects.filter(pk=tracked.pk).update(project=ci.project)
    run = ci.push()
    run.title = f"{tracked} by hand"
    ci.world.leave(run, "junit", zipped(r_xml=junit("a")))

    ci.sync()

    assert TestRun.objects.get().result_set.passed == 1


def test_an_artifact_whose_name_tells_no_job_belongs_to_the_whole_run_and_that_is_said(ci):
    run = ci.push(OLD, NEW)
    ci.world.leave(run, "test-results", zipped(r_xml=junit("a")))

    ci.sync()

    assert TestRun.objects.get(test_run_id=f"ci-{run.id}").result_set.passed == 1
    ((status, remark),) = lines()
    assert status == "stored"
    assert f"tells none of the 2 jobs of run {run.id}" in remark


@pytest.mark.parametrize("late", [False, True])
def test_an_artifact_that_expired_is_said_once(ci, late):
    ci.world.faults.late_expiry = late
    run = ci.push()
    ci.world.leave(run, "junit", zipped(r_xml=junit("a")), days=1)
    ci.world.advance(2 * 86_400)

    ci.sync()
    ci.sync()

    ((status, reason),) = lines()
    assert (status, reason) == (
        "refused",
        "It expired at GitHub on 2026-01-05: nothing of it can be had any more.",
    )


def test_a_run_without_a_report_is_said_where_one_was_to_be_expected(ci):
    ci.push()
    ci.sync()
    assert len(lines()) == 1
    assert "left no artifact with a test report" in lines()[0][1]
    ci.push()
    ci.sync()
    assert len(lines()) == 1, "this workflow never leaves one, and that is known by now"

    ci.world.leave(ci.push(), "junit", zipped(r_xml=junit("a")))
    ci.sync()
    ci.push()
    ci.sync()
    assert [status for status, _ in lines()] == ["refused", "stored", "refused"]


def test_names_are_a_choice_of_the_project(ci):
    CISync.objects.create(project=ci.project, patterns=["out-{job}"])
    run = ci.push("unit", "browser")
    ci.world.leave(run, "OUT-browser", zipped(r_xml=junit("a")))
    ci.world.leave(run, "junit", zipped(r_xml=junit("b")))

    done = ci.sync()

    assert done.reports == 1
    assert by_id(run, run.attempts[0].jobs[1]).result_set.passed == 1


def test_a_later_attempt_brings_runs_of_its_own_and_takes_nothing_over_twice(ci):
    run = ci.push(OLD, NEW, conclusions={NEW: "failure"})
    ci.world.leave(run, "r-ubuntu-latest-3.12-test", zipped(r_xml=junit("a", failed=("a",))))
    ci.sync()
    ci.world.behaviour = lambda run: Behaviour(jobs=(OLD, NEW))
    ci.world.rerun(run, only_failed=True)
    ci.world.leave(run, "r2-ubuntu-latest-3.12-test", zipped(r_xml=junit("a")))
    ci.world.advance(60)

    done = ci.sync()

    assert (done.jobs, done.reports) == (1, 1)
    first, again = run.attempts[0].jobs[1], run.attempts[1].jobs[-1]
    assert (by_id(run, first).status, by_id(run, again).status) == ("failed", "passed")
    assert TestRun.objects.count() == 3
