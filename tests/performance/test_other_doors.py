"""A workload starts by every door that starts a run: API, schedule, repetition, `run_tests`."""

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from access.tokens import new_token
from performance.models import Component, TargetHost, Workload, WorkloadRun
from performance.trigger import FaultySpec, adopt_run, start_workload_run
from tests.factories import NINE
from tests.performance.factories import SPEC, make_component, make_workload, make_workload_run
from tracking import scheduling, tasks, tracker
from tracking.models import Schedule, TestRun

pytestmark = pytest.mark.django_db


@pytest.fixture
def workload(db):
    return make_workload()


@pytest.fixture
def sent(monkeypatch):
    """What is sent to the workers, instead of sending it."""
    told = []
    monkeypatch.setattr("tracking.tasks.ask", lambda task, *_: told.append((task.task, task.args)) or True)
    return told


def test_the_api_of_runs_starts_a_workload(workload):
    client = APIClient()
    client.credentials(
        HTTP_AUTHORIZATION=f"Bearer {new_token(workload.project, 'ci', 'report', by='ada')[1]}"
    )

    answer = client.post(
        "/api/v1/test-runs/",
        {"testDefinitionId": str(workload.definition_id), "environment": "local"},
        format="json",
    )

    assert answer.status_code == 201
    run = TestRun.objects.get()
    assert run.is_handed_over
    assert not run.workflow_runs.exists()


def test_a_name_that_stands_for_two_things_is_refused_before_anything_is_stored(workload):
    workload.spec = {**SPEC, "requests": [{"path": "/{{user}}"}], "data": {"rows": [{"user": "ada"}]}}
    workload.save()
    two = make_component("two", workload=workload, variables={"user": "bob"})

    with pytest.raises(FaultySpec, match=r"{{user}}.*rename one"):
        start_workload_run(workload, component=two, triggered_by="ada", now=NINE)

    assert not TestRun.objects.exists()
    assert start_workload_run(workload, triggered_by="ada", now=NINE)


def test_a_changed_description_brings_no_archived_workload_back(workload):
    Workload.objects.filter(pk=workload.pk).update(is_archived=True)
    client = APIClient()
    token = new_token(workload.project, "ci", "admin", by="ada")[1]
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    where = f"/api/v1/performance/workloads/{workload.pk}/"

    assert client.patch(where, {"description": "As in 2025."}, format="json").json()["isArchived"]
    assert not client.patch(where, {"isArchived": False}, format="json").json()["isArchived"]


def test_a_schedule_starts_a_workload(workload):
    schedule = Schedule.objects.create(
        project=workload.project,
        definition=workload.definition,
        environment=workload.environment,
        cron="0 * * * *",
    )
    scheduling.set_next(schedule, now=NINE)

    scheduling.start_due(now=NINE + timedelta(hours=1, minutes=1))

    assert TestRun.objects.get().plan["kind"] == "workload"


def start(workload, **fields):
    return tracker.start_run(
        workload.definition, workload.environment, triggered_by="ada", now=NINE, space="ci", **fields
    )


def test_such_a_run_is_handed_over_whole(workload, sent):
    run = start(workload)

    tasks.drive_run(str(run.pk))

    assert sent == [("performance.tasks.run_workload", (str(run.pk),))]


def test_what_takes_it_over_makes_the_workload_run_and_checks_the_host(workload):
    run = start(workload)

    found = adopt_run(run)

    assert (found.workload, found.spec) == (workload, SPEC)
    assert TestRun.objects.get().plan["target"] == workload.target


def test_a_host_that_was_taken_back_meanwhile_gets_no_load(workload):
    from performance.tasks import run_workload

    run = start(workload)
    TargetHost.objects.all().delete()

    run_workload(str(run.pk))
    run.refresh_from_db()

    assert run.status == "error"
    assert "has not named" in run.reason
    assert not WorkloadRun.objects.exists()


def test_a_repetition_is_the_same_load_whatever_the_workload_says_now(workload):
    component = make_component("fast", workload=workload)
    first = make_workload_run(workload, keep=False, component=component, seed=7)
    make_workload(project=workload.project, spec={**SPEC, "duration": 99})

    again = adopt_run(tracker.rerun(first.run, triggered_by="ada", now=NINE + timedelta(hours=1)))

    assert (again.spec, again.seed, again.component) == (first.spec, 7, component)
    assert again.run.plan["target"] == first.run.plan["target"]


def test_a_load_that_had_begun_is_never_put_on_twice(workload, monkeypatch):
    from performance import tasks as load_tasks

    run = make_workload_run(workload, status="running")
    WorkloadRun.objects.filter(pk=run.pk).update(load_started_at=NINE)
    begun = []
    monkeypatch.setattr(load_tasks, "drive_apart", begun.append)

    load_tasks.run_workload(str(run.pk))

    assert begun == []


def test_the_secret_of_a_component_is_refused_at_every_door_and_never_repeated(workload, tmp_path):
    client = APIClient()
    token = new_token(workload.project, "ci", "admin", by="ada")[1]
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    component = {"name": "two", "headers": {"X-Api-Key": "s3cr3t"}}
    file = tmp_path / "load.json"
    load = {"target": "http://127.0.0.1", **SPEC, "components": {"two": {"headers": component["headers"]}}}
    file.write_text(json.dumps({"workloads": {"checkout": load}}))

    answer = client.patch(
        f"/api/v1/performance/workloads/{workload.pk}/", {"components": [component]}, format="json"
    )
    with pytest.raises(CommandError) as told:
        call_command("workload", "load", str(file), "--project", workload.project.slug)

    assert answer.status_code == 400
    for text in (answer.content.decode(), str(told.value)):
        assert "is a secret" in text
        assert "s3cr3t" not in text
    assert not Component.objects.exists()
