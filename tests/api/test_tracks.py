"""The whole track over HTTP: begun for a worker, watched, cancelled."""

import pytest

from performance.models import TrackRun, Workload
from tests.factories import make_project
from tests.performance.factories import make_workload

pytestmark = pytest.mark.django_db
WHERE = "/api/v1/performance/tracks/"


@pytest.fixture(autouse=True)
def woken(monkeypatch):
    """The tracks that a worker was asked to drive."""
    asked = []
    monkeypatch.setattr("performance.tasks.wake_track", asked.append)
    return asked


@pytest.fixture
def workload(shop):
    return make_workload(project=shop)


def test_a_track_is_begun_for_a_worker_and_can_be_looked_at(api, workload, woken):
    made = api.post(WHERE, {"workload": "checkout", "rounds": 4, "triggeredBy": "build 7"}, format="json")

    assert made.status_code == 201, made.content
    told = made.json()
    assert [str(pk) for pk in woken] == [told["id"]]
    assert (told["status"], told["workload"], told["rounds"]) == ("running", "checkout", 4)
    assert (told["triggeredBy"], told["phase"], told["testRunId"]) == ("build 7", None, None)
    assert [one["status"] for one in told["phases"]] == ["waiting"] * 5

    phase = {"name": "workload_setup", "status": "passed", "duration": 9.0, "tests": 5, "passed": 5}
    summary = {
        "status": "passed",
        "duration": 9.0,
        "phases": [{**phase, "failed": 0, "findings": ["It answers."]}],
    }
    TrackRun.objects.update(summary=summary, progress={"phase": "metrics", "run": "checkout_1"})
    told = api.get(f"{WHERE}{told['id']}/").json()
    assert (told["phase"], told["testRunId"]) == ("metrics", "checkout_1")
    assert [one["status"] for one in told["phases"]][:3] == ["passed", "running", "waiting"]
    assert told["phases"][0]["findings"] == ["It answers."]
    assert api.get(f"{WHERE}?status=running").json()["count"] == 1


def test_a_second_one_is_a_conflict_until_the_first_is_cancelled(api, workload):
    first = api.post(WHERE, {"workload": "checkout"}, format="json").json()

    assert api.post(WHERE, {"workload": "checkout"}, format="json").status_code == 409
    told = api.post(f"{WHERE}{first['id']}/cancel/").json()
    assert (told["status"], told["cancelledBy"]) == ("cancelled", "token report token")
    assert api.post(f"{WHERE}{first['id']}/cancel/").status_code == 409
    assert api.post(WHERE, {"workload": "checkout"}, format="json").status_code == 201


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({}, "workload"),
        ({"workload": "nothing"}, "workload"),
        ({"workload": "checkout", "target": "http://127.0.0.1:1"}, "workload"),
        ({"workload": "checkout", "rate": 10}, "rate"),
        ({"workload": "checkout", "rounds": 1}, "rounds"),
        ({"target": "http://elsewhere.example"}, "detail"),
        ({"target": "no address"}, "target"),
        ({"target": "http://127.0.0.1:1", "rate": 0}, "rate"),
    ],
)
def test_a_faulty_wish_is_refused_and_nothing_is_stored(client_of, workload, woken, asked, field):
    refused = client_of("admin").post(WHERE, asked, format="json")

    assert (refused.status_code, list(refused.json())) == (400, [field])
    assert not TrackRun.objects.exists()
    assert Workload.objects.count() == 1
    assert woken == []


def test_a_target_of_ones_own_makes_its_workload_for_maintainers_only(api, client_of, workload):
    asked = {"target": "http://127.0.0.1:8080/", "seconds": 2, "rate": 20}

    assert api.post(WHERE, asked, format="json").status_code == 403
    assert Workload.objects.count() == 1
    made = client_of("admin").post(WHERE, asked, format="json")

    assert made.status_code == 201, made.content
    assert made.json()["workload"] == "track"
    assert Workload.objects.get(name="track-steps").spec["arrival"]["rates"] == [10, 20, 40]


def test_a_refused_second_track_of_a_target_changes_no_load(client_of, workload):
    curator = client_of("admin")
    curator.post(WHERE, {"target": "http://127.0.0.1:8080"}, format="json")

    again = curator.post(WHERE, {"target": "http://127.0.0.1:8080", "rate": 99}, format="json")

    assert again.status_code == 409
    assert Workload.objects.get(name="track").version == 1


def test_reading_is_for_viewers_and_other_projects_have_none(client_of, workload, shop):
    track = TrackRun.objects.create(project=shop, workload=workload)
    reader, stranger = client_of("read"), client_of("admin", make_project("other"))

    assert reader.get(f"{WHERE}{track.pk}/").status_code == 200
    assert reader.post(f"{WHERE}{track.pk}/cancel/").status_code == 403
    assert stranger.get(f"{WHERE}{track.pk}/").status_code == 404
    assert stranger.post(f"{WHERE}{track.pk}/cancel/").status_code == 404


def test_a_list_asks_a_fixed_number_of_questions(api, workload, shop, django_assert_max_num_queries):
    for _ in range(8):
        TrackRun.objects.create(project=shop, workload=workload)

    with django_assert_max_num_queries(6):
        assert len(api.get(WHERE).json()["results"]) == 8
