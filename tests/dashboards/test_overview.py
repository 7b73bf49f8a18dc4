from datetime import timedelta

from django.utils import timezone

from batches.models import Batch, BatchRun, Workspace
from executions.reported import store_executions
from performance.models import ChangePoint
from tests.factories import NINE, make_ended_run, make_run, make_workflow
from tests.performance.factories import make_workload, make_workload_run


def test_an_empty_project_shows_three_steps_with_commands(client, viewer):
    page = client.get("/").content.decode()

    assert "Three steps" in page
    assert "bin/runtrail run_tests -p demo -e local -t performance" in page


def test_the_sentence_comes_first(client, viewer):
    now = timezone.now()
    make_ended_run("failed", started_at=now - timedelta(hours=2), reason="build_job #1 failed (exit code 1)")
    make_ended_run("failed", started_at=now - timedelta(days=5), reason="too old to be shown")
    run = make_run(started_at=now - timedelta(seconds=60))
    for _ in range(4):
        make_workflow(run)
    make_workflow(run, "", status="queued", queue=None)

    page = client.get("/").content.decode()

    assert (
        "1 run is going; 1 ended badly since yesterday; queueing took 40 % of the time, usually 40 %." in page
    )
    assert "4/5" in page
    assert "left" in page
    assert "build_job #1 failed (exit code 1)" in page
    assert "too old to be shown" not in page


def test_what_waits_for_somebody_is_there_from_tests_batches_and_loads(client, viewer, project):
    for hours in range(3):
        run = make_ended_run("failed", started_at=NINE + timedelta(hours=hours))
        store_executions(run, [{"nodeid": "tests/test_a.py::test_total", "outcome": "failed"}], now=NINE)
    workspace = Workspace.objects.create(project=project, host="desk", root="/home/ada/shop", created_at=NINE)
    batch = Batch.objects.create(workspace=workspace, number=4, opened_at=NINE)
    BatchRun.objects.create(
        workspace=workspace,
        batch=batch,
        started_at=NINE,
        success=False,
        total_tests=9,
        failed_tests=2,
        result={},
    )
    load = make_workload_run(make_workload(project=project), keep=False)
    ChangePoint.objects.create(
        workload=load.workload,
        first_run=load,
        metric="latency.p95",
        unit="s",
        before=0.1,
        after=0.25,
        is_worse=True,
        is_alarm=True,
        p=0.001,
    )

    page = client.get("/").content.decode()

    assert "tests/test_a.py::test_total" in page
    assert "2 of 9 tests failed" in page
    assert "latency.p95 2.50 ×, now 250 ms" in page


def test_where_nothing_waits_nothing_is_said(client, viewer):
    make_ended_run("passed")

    assert "To look at" not in client.get("/").content.decode()
