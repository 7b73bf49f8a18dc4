"""A run is noted, pinned and left out of the statistics, by name and with a reason."""

from types import SimpleNamespace

import pytest

from access.api.authentication import Program
from access.models import AuditEntry, Project
from tests.factories import (
    make_definition,
    make_ended_run,
    make_environment,
    make_project,
    make_run,
    make_user,
)
from tests.tracking.fakes import after
from tracking import curation
from tracking.models import TRACKED, DayTiming, RunnerDay, TestRun
from tracking.models.changes import writer
from tracking.rollups import keep_figures

pytestmark = pytest.mark.django_db


def figures():
    days = DayTiming.objects.values("passed", "failed", "timed", "queue_sum", "duration_sum")
    return list(days), list(RunnerDay.objects.values("jobs", "queue_sum"))


def test_a_run_that_is_left_out_leaves_the_figures_of_its_day_and_comes_back():
    make_ended_run(queue=10)
    alone = figures()
    bad = make_ended_run("failed", queue=900)
    both = figures()

    assert curation.exclude(bad, "the runners were down", by=make_user(), now=after(9))
    assert figures() == alone
    assert not curation.exclude(bad, "again", by=make_user(), now=after(10))

    bad.refresh_from_db()
    assert (bad.excluded_by, bad.excluded_reason, bad.excluded_at) == (
        "ada",
        "the runners were down",
        after(9),
    )
    assert bad.timing.timed == 2, "its own figures stay"

    assert curation.take_back(bad, by=make_user(), now=after(11))
    assert figures() == both
    assert not curation.take_back(bad, by=make_user(), now=after(12))


def test_a_run_that_is_left_out_while_it_goes_on_is_not_counted_when_it_ends():
    run = make_run()
    curation.exclude(run, "a trial", by=make_user(), now=after(9))
    TestRun.objects.filter(pk=run.pk).update(status="passed", completed_at=after(60))
    run.refresh_from_db()

    keep_figures(run)

    assert DayTiming.objects.get().passed == 0


def test_a_run_is_left_out_only_with_a_reason():
    with pytest.raises(ValueError, match="Say why"):
        curation.exclude(make_ended_run(), "  ", by=make_user(), now=after(9))

    assert TestRun.objects.counted().count() == 1


def test_everything_that_is_said_of_a_run_is_on_its_page_and_in_the_audit():
    run, ada = make_ended_run(), make_user()

    assert curation.annotate(run, " slow disk ", by=ada, now=after(1))
    assert not curation.annotate(run, "slow disk", by=ada, now=after(2))
    assert curation.pin(run, pinned=True, by=ada, now=after(3))
    assert not curation.pin(run, pinned=True, by=ada, now=after(4))
    curation.exclude(run, "slow disk", by=ada, now=after(5))
    curation.take_back(run, by=ada, now=after(6))

    run.refresh_from_db()
    assert (run.note, run.pinned) == ("slow disk", True)
    told = list(run.events.values_list("text", flat=True))
    assert told[:2] == ["ada noted: slow disk", "ada pinned it: it is kept forever."]
    assert list(AuditEntry.objects.order_by("pk").values_list("action", "actor__username")) == [
        ("run.annotate", "ada"),
        ("run.pin", "ada"),
        ("run.exclude", "ada"),
        ("run.include", "ada"),
    ]


def test_changes_of_what_people_set_are_kept_with_their_old_values():
    environment, definition = make_environment(ref="main"), make_definition()
    environment.ref = "release"
    environment.save()
    definition.steps.get().delete()

    assert list(environment.history.order_by("history_id").values_list("ref", flat=True)) == [
        "main",
        "release",
    ]
    assert definition.steps.model.history.filter(history_type="-").count() == 1


def test_the_history_of_a_project_keeps_no_secret():
    make_project(github_token="ghp_very_secret", webhook_secret="hook")

    fields = {field.name for field in Project.history.model._meta.get_fields()}
    assert "slug" in fields
    assert not fields & {"github_token", "webhook_secret"}


def test_rows_that_machines_write_keep_no_versions():
    assert {model.__name__ for model, _ in TRACKED} == {
        *("Project", "Environment", "TestDefinition", "Step", "RetentionPolicy", "Schedule")
    }


def test_a_version_names_the_person_and_no_program():
    ada, environment = make_user(), make_environment()

    assert writer(environment, request=SimpleNamespace(user=ada)) == ada
    assert writer(environment, request=SimpleNamespace(user=object.__new__(Program))) is None
    assert writer(environment, request=None) is None
