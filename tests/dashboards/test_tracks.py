"""The page of a whole track: started by a button, live, cancelled."""

import pytest

from performance.models import TrackRun
from tests.performance.factories import make_workload, make_workload_run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def woken(monkeypatch):
    asked = []
    monkeypatch.setattr("performance.tasks.wake_track", asked.append)
    return asked


@pytest.fixture
def workload(project):
    return make_workload(project=project)


def page(client, where="/performance/"):
    return client.get(where).content.decode()


def test_without_a_workload_there_is_nothing_to_press(client, reporter):
    text = page(client)

    assert "Describe a load first." in text
    assert "Run the whole track" not in text


def test_a_viewer_sees_no_button(client, viewer, workload):
    assert "Run the whole track" not in page(client)


def test_the_button_hands_a_track_to_a_worker(client, reporter, workload, woken):
    assert "Start it below" in page(client)

    answer = client.post("/performance/tracks/start/", {"workload": "checkout", "rounds": 3})

    track = TrackRun.objects.get()
    assert (answer.status_code, answer.url) == (302, f"/performance/tracks/{track.pk}/")
    assert (woken, track.triggered_by) == ([track.pk], "rosa")
    text = page(client, answer.url)
    assert "Waits for a worker" in text
    assert text.count("waiting") == 5


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"workload": "nothing", "rounds": 3}, "There is no such workload."),
        ({"rounds": 3}, "Choose a workload first."),
        ({"workload": "checkout", "rounds": 1}, "greater than or equal to 2"),
        ({"workload": "foreign", "rounds": 3}, "has not named"),
    ],
)
def test_a_faulty_wish_is_told_on_the_page(client, reporter, project, workload, woken, asked, told):
    make_workload("foreign", project=project, target="http://elsewhere.example")

    answer = client.post("/performance/tracks/start/", asked, follow=True)

    assert told in answer.content.decode()
    assert not TrackRun.objects.exists()
    assert woken == []


def test_a_track_is_live_with_the_load_that_goes_on_and_can_be_cancelled(client, reporter, project, workload):
    run = make_workload_run(workload, status="running")
    track = TrackRun.objects.create(
        project=project,
        workload=workload,
        driver="track@elsewhere:1:1",
        driver_until="2100-01-01T00:00:00Z",
        progress={"phase": "metrics", "run": str(run)},
    )

    text = page(client, f"/performance/tracks/{track.pk}/")
    assert "0 of 5 phases done" in text
    assert f"/performance/runs/{run}/" in text
    assert 'data-refresh="2' in text
    answer = client.post(f"/performance/tracks/{track.pk}/cancel/", follow=True)

    assert "being cancelled" in answer.content.decode()
    assert "Being cancelled by rosa" in answer.content.decode()
    again = client.post(f"/performance/tracks/{track.pk}/cancel/", follow=True)
    assert "nothing to cancel" in again.content.decode()


def test_a_closed_track_tells_why(client, viewer, project, workload):
    track = TrackRun.objects.create(project=project, status="error", reason="The process was ended.")

    assert "The process was ended." in page(client, f"/performance/tracks/{track.pk}/")


def test_a_track_that_passed_answers_what_is_asked_first(client, viewer, project, workload):
    phase = {"status": "passed", "duration": 3.2, "tests": 4, "passed": 4, "failed": 0}
    told = {
        "workload_setup": ["100 requests"],
        "bottlenecks": ["Nothing was found that held it back."],
        "component_comparison": ["s3 is first by latency.p95.", "1. s3: 11.8 ms"],
    }
    phases = [{**phase, "name": name, "findings": findings} for name, findings in told.items()]
    summary = {"status": "passed", "duration": 9.5, "phases": phases}
    track = TrackRun.objects.create(project=project, status="passed", summary=summary, workload=workload)

    text = client.get(f"/performance/tracks/{track.pk}/").content.decode()

    answer = (
        "Every check of every phase held. Nothing was found that held it back. s3 is first by latency.p95."
    )
    assert answer in text
    assert ">workload setup<" in text
