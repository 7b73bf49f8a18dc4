"""The performance pages: workloads over time, a load live, two side by side."""

import csv
import io
from datetime import timedelta

import pytest
from django.contrib.contenttypes.models import ContentType

from performance.models import Bottleneck, ChangePoint, TargetHost, TrackRun, WorkloadRun
from tests.factories import NINE
from tests.performance.factories import make_component, make_workload, make_workload_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def workload(project):
    return make_workload(project=project)


def runs_of(workload, count=3):
    return [
        make_workload_run(workload, started_at=NINE + timedelta(hours=number), keep=False)
        for number in range(count)
    ]


def change_of(run, **fields):
    known = {"metric": "latency.p95", "unit": "s", "before": 0.1, "after": 0.2, "is_worse": True, "p": 0.001}
    return ChangePoint.objects.create(
        workload=run.workload, first_run=run, is_alarm=True, votes=["ranks", "student"], **known | fields
    )


def test_an_empty_project_says_how_to_begin(client, viewer):
    text = client.get("/performance/").content.decode()

    assert "workload load" in text
    assert "hosts that the project has named as its own" in text


def test_the_list_begins_with_what_is_open(client, viewer, workload):
    change_of(runs_of(workload)[-1])

    text = client.get("/performance/").content.decode()

    assert "1 alarm open; no load is running; 1 workload." in text
    assert "2.00 ×" in text


@pytest.mark.parametrize("count", [1, 4])
def test_the_list_costs_the_same_however_much_is_stored(
    client, viewer, project, count, django_assert_num_queries
):
    for number in range(count):
        runs_of(make_workload(f"load-{number}", project=project), count)
    ContentType.objects.clear_cache()
    client.get("/performance/")

    with django_assert_num_queries(11):
        client.get("/performance/")


@pytest.mark.parametrize("count", [1, 6])
def test_a_workload_costs_the_same_however_often_it_ran(
    client, viewer, workload, count, django_assert_num_queries
):
    runs_of(workload, count)
    client.get("/performance/workloads/checkout/")

    with django_assert_num_queries(16):
        client.get("/performance/workloads/checkout/")


def test_a_run_shows_its_figures_with_units_and_what_held_it_back(client, viewer, workload):
    run = make_workload_run(workload, latencies=[0.01] * 300 + [0.5] * 3, keep=False)
    Bottleneck.objects.create(
        run=run, rank=1, kind="component", name="database", score=0.9, text="The database held it back."
    )

    text = client.get(f"/performance/runs/{run}/").content.decode()

    assert "303 requests" in text
    assert "half were answered within 10 ms" in text
    assert "The database held it back." in text
    assert 'id="over-time"' in text


def test_a_finding_has_its_picture_and_the_points_of_it(client, viewer, workload):
    run = make_workload_run(workload, keep=False)
    picture = {
        "kind": "line",
        "x": [1, 2],
        "y": [40.5, 41.5],
        "x_title": "requests at once",
        "y_title": "answers (1/s)",
        "second": [42.25, 43.25],
        "second_title": "the law (1/s)",
    }
    Bottleneck.objects.create(
        run=run,
        rank=1,
        kind="knee",
        name="target",
        score=0.9,
        text="More brings no more.",
        evidence={"picture": picture},
    )

    text = client.get(f"/performance/runs/{run}/").content.decode()

    assert 'id="evidence-1"' in text
    assert "43.25" in text
    assert "yaxis2" not in text.split('id="evidence-1"')[1].split("</script>")[0]


def test_a_run_in_which_nothing_was_found_says_so(client, viewer, workload):
    run = make_workload_run(workload, keep=False)
    WorkloadRun.objects.filter(pk=run.pk).update(analyzed_at=NINE)

    assert "Nothing was found that held it back." in client.get(f"/performance/runs/{run}/").content.decode()


def test_a_run_is_found_by_its_uuid_too(client, viewer, workload):
    run = make_workload_run(workload, keep=False)

    assert client.get(f"/performance/runs/{run.pk}/").status_code == 200


def test_a_load_that_goes_on_tells_how_it_goes(client, viewer, workload):
    run = make_workload_run(workload, status="running")
    said = {"requests": 1200, "rate": 50.2, "p95": 0.021, "errors": 1}
    WorkloadRun.objects.filter(pk=run.pk).update(progress=said, load_started_at=NINE)

    text = client.get(f"/performance/runs/{run}/").content.decode()

    assert "1,200 requests so far, 50 a second; p95 of the last seconds 21 ms; 1 error." in text
    assert 'data-refresh="1.0"' in text


def test_a_reporter_starts_and_stops_a_load(client, reporter, workload):
    answer = client.post("/performance/workloads/checkout/start/", {"branch": "main"})
    run = WorkloadRun.objects.get()

    assert answer["Location"] == f"/performance/runs/{run}/"
    assert run.run.branch == "main"

    client.post(f"/performance/runs/{run}/stop/")
    run.run.refresh_from_db()

    assert run.run.cancel_requested_at


def test_no_load_starts_on_a_host_that_the_project_has_not_named(client, reporter, workload):
    TargetHost.objects.all().delete()

    answer = client.post("/performance/workloads/checkout/start/", {})

    assert answer.status_code == 400
    assert "has not named 127.0.0.1:8080 as a host of its own" in answer.content.decode()
    assert not WorkloadRun.objects.exists()


def test_a_component_is_chosen_by_its_name(client, reporter, workload):
    make_component("fast", workload=workload)

    client.post("/performance/workloads/checkout/start/", {"component": "fast"})

    assert WorkloadRun.objects.get().component.name == "fast"


def test_a_maintainer_decides_on_a_change_and_a_dismissal_needs_a_reason(client, administrator, workload):
    change = change_of(make_workload_run(workload, keep=False))

    client.post(f"/performance/changes/{change.pk}/decide/", {"state": "dismissed"})
    change.refresh_from_db()
    assert change.state == "new"

    client.post(
        f"/performance/changes/{change.pk}/decide/",
        {"state": "accepted", "note": "the new index", "commit": "A1B2C3D"},
    )
    change.refresh_from_db()
    assert (change.state, change.commit_sha, change.decided_by) == ("accepted", "a1b2c3d", "anna")


def test_the_history_is_handed_out_as_a_file(client, viewer, workload):
    runs = runs_of(workload)

    answer = client.get("/performance/workloads/checkout/?format=csv")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))

    assert [row["test_run_id"] for row in rows] == [str(run) for run in reversed(runs)]
    assert 0.005 < float(rows[0]["p50"]) < 0.02


@pytest.mark.parametrize("figure", ["latency.p50", "throughput", "error_share", "nonsense"])
def test_any_figure_is_drawn_over_time(client, viewer, workload, figure):
    runs_of(workload)

    assert client.get(f"/performance/workloads/checkout/?figure={figure}").status_code == 200


def test_two_runs_are_compared_with_what_earlier_ones_tell_of_the_noise(client, viewer, workload):
    runs_of(workload, 8)
    slow = make_workload_run(
        workload, latencies=[0.05] * 400, started_at=NINE + timedelta(hours=9), keep=False
    )
    base = WorkloadRun.objects.order_by("started_at").first()

    text = client.get(f"/performance/compare/?base={base}&head={slow}").content.decode()

    assert "Worse: head has" in text
    assert "× the p95 latency (95 % interval" in text


def test_an_unknown_run_is_said(client, viewer, workload):
    assert "There is no workload run with that id to be the head" in (
        client.get("/performance/compare/?head=x").content.decode()
    )


def test_a_track_shows_each_phase(client, viewer, project):
    phase = {"name": "Bottlenecks", "status": "failed", "duration": 3.2, "tests": 4, "passed": 3, "failed": 1}
    summary = {
        "status": "failed",
        "duration": 9.5,
        "phases": [{**phase, "findings": ["database holds back"]}],
    }
    track = TrackRun.objects.create(project=project, status="failed", summary=summary)

    text = client.get(f"/performance/tracks/{track.pk}/").content.decode()

    assert "database holds back" in text
    assert "3.2 s" in text
