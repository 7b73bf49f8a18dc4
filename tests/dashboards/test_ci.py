"""The CI page: what waits, where queueing happens, what asking costs; and its files."""

import csv
import io
import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.factories import make_ended_run, make_project, make_run, make_workflow
from tests.tracking.fakes import after
from tracking.deliveries import keep_delivery
from tracking.models import CallCount, RunnerDay, WebhookDelivery

pytestmark = pytest.mark.django_db


def test_an_empty_project_says_what_to_do(client, viewer):
    page = client.get("/ci/").content.decode()

    assert "Nothing has been sent yet." in page
    assert "No workflow waits for a runner just now." in page


def test_finished_jobs_are_shown_by_runner_and_hour(client, viewer):
    run = make_ended_run(started_at=timezone.now() - timedelta(minutes=9))
    page = client.get("/ci/").content.decode()

    day = RunnerDay.objects.get()
    assert day.jobs == run.workflow_runs.count()
    assert sum(count for count, _ in day.hours.values()) == day.jobs
    assert "Queue by hour of the day" in page


def test_what_waits_is_counted_and_linked(client, viewer):
    make_workflow(make_run(), "", position=1)

    page = client.get("/ci/").content.decode()

    assert "<strong>1</strong> workflow waits for a runner" in page
    assert "Waiting longest" in page


def test_filters_narrow_the_list_and_its_files(client, viewer):
    run = make_run()
    make_workflow(run, "failure", position=1)
    make_workflow(run, "success", position=2)

    rows = list(csv.DictReader(io.StringIO(_file(client.get("/ci/?format=csv&state=failure")))))
    everything = json.loads(_file(client.get("/ci/?format=json")))

    assert [row["conclusion"] for row in rows] == ["failure"]
    assert [row["position"] for row in everything] == [2, 1]


def test_other_projects_show_nothing_here(client, viewer):
    make_workflow(make_run(project=make_project("other")), "failure", position=1)

    assert "Nothing has been sent yet." in client.get("/ci/").content.decode()


def test_calls_and_messages_of_the_last_day_are_counted(client, viewer, project):
    CallCount.objects.add("a", {"calls": 41, "limited": 2}, 7.5, at=timezone.now())
    delivery, _ = keep_delivery("g", "workflow_run", b"{", project=project, now=timezone.now())
    WebhookDelivery.objects.filter(pk=delivery.pk).update(state="failed", problem="The body is no JSON.")
    CallCount.objects.add("a", {"calls": 1000}, 0, at=after(0))

    page = client.get("/ci/").content.decode()

    assert "<dd>41</dd>" in page
    assert "The body is no JSON." in page


def test_more_rows_cost_no_more_queries(client, viewer):
    def cost():
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/ci/").status_code == 200
        return len(captured)

    run = make_run()
    for position in range(1, 4):
        make_workflow(run, "success", position=position)
    few = cost()
    for position in range(4, 60):
        make_workflow(run, "", position=position)

    assert cost() == few


def _file(answer):
    return b"".join(answer.streaming_content).decode()
