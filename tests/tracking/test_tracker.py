import pytest

from tests.tracking.fakes import NINE, after, begin, make_definition, make_environment
from tracking import tracker
from tracking.models import Step, TestDefinition, TestRun, WorkflowRun
from tracking.plan import NotRunnable
from tracking.steps import replace_steps

pytestmark = pytest.mark.django_db


def test_a_run_is_one_row_and_one_for_every_workflow_before_anything_is_sent():
    run = begin(count=34)

    assert run.test_run_id.startswith("performance_20260104_090000_")
    assert run.workflow_runs.unsent().count() == 34
    assert len(set(run.workflow_runs.values_list("dispatch_id", flat=True))) == 34
    assert list(run.events.values_list("kind", flat=True)) == ["started"]


def test_workflows_are_due_in_their_order_and_spacing():
    run = begin(count=3, start_after=10, spacing=5)

    assert list(run.workflow_runs.values_list("due_at", flat=True)) == [after(10), after(15), after(20)]


def test_two_runs_of_one_type_in_the_same_second_have_two_names(monkeypatch):
    digits = iter(["abc123", "abc123", "abc123", "def456"])
    monkeypatch.setattr("tracking.identifiers.secrets.token_hex", lambda size: next(digits))

    first, second = begin(), begin()

    assert (first.test_run_id[-6:], second.test_run_id[-6:]) == ("abc123", "def456")


def test_a_plan_is_frozen_when_the_run_starts():
    run = begin()
    Step.objects.update(count=99, command=["false"])

    run.refresh_from_db()

    assert run.plan["steps"][0]["count"] == 3
    assert run.plan["steps"][0]["command"] == ["true"]


def test_steps_that_came_after_the_definition_was_read_have_none_of_its_trust():
    as_read = make_definition()
    replace_steps(TestDefinition.objects.get(pk=as_read.pk), [{"command": ["somebody", "elses"]}])

    with pytest.raises(NotRunnable, match="RUNTRAIL_LOCAL_COMMANDS"):
        tracker.start_run(as_read, make_environment(), triggered_by="me", now=NINE)

    assert TestRun.objects.count() == 0


def test_a_definition_that_was_deleted_meanwhile_starts_nothing():
    as_read = make_definition()
    TestDefinition.objects.filter(pk=as_read.pk).delete()

    with pytest.raises(NotRunnable, match="was deleted"):
        tracker.start_run(as_read, make_environment(), triggered_by="me", now=NINE)


def test_a_rerun_repeats_the_frozen_plan_and_points_to_its_original():
    run = begin()
    Step.objects.update(count=99)

    again = tracker.rerun(run, triggered_by="me", now=after(60))

    assert again.workflow_runs.count() == 3
    assert again.rerun_of == run
    assert again.plan == run.plan


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"definition": {"is_from_shell": False}}, "RUNTRAIL_LOCAL_COMMANDS"),
        ({"step": {"command": []}}, "no command"),
        ({"service": "github", "step": {"workflow": ""}}, "workflow file"),
    ],
)
def test_what_can_not_run_is_refused_and_nothing_is_stored(changes, words):
    definition = make_definition(**changes.get("step", {}))
    TestDefinition.objects.update(**changes.get("definition", {"version": 1}))
    environment = make_environment(service=changes.get("service", "local"))

    with pytest.raises(NotRunnable, match=words):
        tracker.start_run(definition, environment, triggered_by="me", now=NINE)

    assert not TestRun.objects.exists()
    assert not WorkflowRun.objects.exists()


def test_a_definition_without_steps_is_refused():
    definition = make_definition()
    definition.steps.all().delete()

    with pytest.raises(NotRunnable, match="no steps"):
        tracker.start_run(definition, make_environment(), triggered_by="me", now=NINE)


@pytest.mark.parametrize(
    ("branch", "environment_ref", "wanted"),
    [("feature", "release", "feature"), ("", "release", "release"), ("", "", "main")],
)
def test_the_ref_is_the_runs_branch_else_the_environments_else_the_default(branch, environment_ref, wanted):
    environment = make_environment(ref=environment_ref)

    run = tracker.start_run(make_definition(), environment, triggered_by="me", now=NINE, branch=branch)

    assert run.plan["ref"] == wanted
