"""The database itself forbids nonsense, whatever the code above it does."""

import os
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from tests.tracking.fakes import after, begin
from tracking.models import LocalJob, TestRun

pytestmark = pytest.mark.django_db


def test_the_suite_runs_on_the_database_it_was_asked_to_run_on(request):
    wanted = request.config.getoption("database")
    assert not wanted or os.environ.get("DATABASE_URL", wanted).startswith(connection.vendor)
    assert not wanted or connection.vendor == wanted


@pytest.mark.parametrize(
    "nonsense",
    [
        {"completed_at": after(60)},
        {"status": "passed"},
        {"status": "passed", "completed_at": after(-1)},
        {"status": "exploded", "completed_at": after(60)},
        {"space": "moon"},
    ],
)
def test_a_run_is_running_or_has_an_end_after_its_start(nonsense):
    begin()

    with pytest.raises(IntegrityError), transaction.atomic():
        TestRun.objects.update(**nonsense)


def test_a_name_belongs_to_one_run():
    first, second = begin(), begin()

    with pytest.raises(IntegrityError), transaction.atomic():
        TestRun.objects.filter(pk=second.pk).update(test_run_id=first.test_run_id)


def test_a_local_job_is_done_or_open():
    job = LocalJob.objects.create(
        dispatch_id="a", name="a", command=["true"], folder="/", time_limit=9, created_at=after(0)
    )

    for nonsense in ({"state": "done"}, {"conclusion": "success"}, {"completed_at": after(1)}):
        with pytest.raises(IntegrityError), transaction.atomic():
            LocalJob.objects.filter(pk=job.pk).update(**nonsense)


def test_the_table_of_runs_has_the_indexes_that_its_document_names():
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, "test_runs")

    assert found["test_runs_definition_idx"]["columns"][0] == "test_definition_id"
    assert found["test_runs_status_idx"]["columns"][0] == "status"
    assert found["test_runs_environment_idx"]["columns"] == ["environment_id", "started_at"]
    assert found["test_runs_project_idx"]["columns"] == ["project_id", "started_at", "test_run_id"]


def test_a_duration_is_never_negative():
    run = begin()

    assert run.duration_so_far(run.started_at - timedelta(hours=1)) == timedelta(0)
