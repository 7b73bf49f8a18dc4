"""Optimizations, comparisons, changes and the summary over HTTP."""

import pytest

from performance.models import ChangePoint, Comparison, Optimization, TrackRun
from tests.factories import make_project
from tests.performance.factories import make_component, make_workload
from tests.performance.measured import a_run

pytestmark = pytest.mark.django_db
WHERE = "/api/v1/performance"


@pytest.fixture(autouse=True)
def no_worker_is_asked(monkeypatch):
    monkeypatch.setattr("performance.tasks.wake", lambda run_pk: None)


@pytest.fixture
def workload(shop):
    return make_workload(project=shop)


@pytest.fixture
def sides(workload):
    before = [a_run(workload, 0.2 + n / 1000, number=n) for n in range(3)]
    return before, [a_run(workload, 0.1 + n / 1000, number=5 + n) for n in range(3)]


def record(api, sides, **changes):
    before, after = ([str(run) for run in side] for side in sides)
    wanted = {"workload": "checkout", "name": "index", "before": before, "after": after, **changes}
    return api.post(f"{WHERE}/optimizations/", wanted, format="json")


def test_an_optimization_is_recorded_and_judged(api, sides):
    made = record(api, sides, description="orders had no index")

    assert made.status_code == 201, made.content
    found = api.get(f"{WHERE}/optimizations/{made.json()['id']}/").json()
    assert found["verdict"] == "better"
    (figure,) = [one for one in found["result"]["figures"] if one["metric"] == "latency.p95"]
    assert (figure["nBefore"], figure["lessIsBetter"]) == (3, True)
    assert found["before"] == [str(run) for run in sides[0]]
    total = api.get(f"{WHERE}/optimizations/total/?workload=checkout").json()
    assert total["counted"] == ["index"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"before": ["nobody"]}, "before"),
        ({"workload": "nothing"}, "workload"),
        ({"before": []}, "detail"),
        ({"name": ""}, "name"),
        ({"commitSha": "no sha"}, "commitSha"),
    ],
)
def test_a_faulty_optimization_is_refused_and_nothing_is_stored(api, sides, changes, field):
    refused = record(api, sides, **changes)

    assert refused.status_code == 400
    assert field in refused.json()
    assert not Optimization.objects.exists()


def test_a_retry_starts_a_run_and_a_second_one_waits_for_it(api, sides):
    made = record(api, sides).json()

    tried = api.post(f"{WHERE}/optimizations/{made['id']}/retry/").json()

    assert tried["tries"] == 1
    assert len(tried["after"]) == 4
    Optimization.objects.update(result={"planned": ["after"]})
    assert api.post(f"{WHERE}/optimizations/{made['id']}/retry/").status_code == 409


def test_a_comparison_begins_with_its_first_turn(api, workload):
    for name in ("one", "two"):
        make_component(name, workload=workload)

    wanted = {"workload": "checkout", "components": ["one", "two"], "rounds": 2}
    made = api.post(f"{WHERE}/comparisons/", wanted, format="json")

    assert made.status_code == 201, made.content
    found = made.json()
    assert (found["status"], found["rounds"], len(found["turns"])) == ("running", 2, 1)
    assert api.post(f"{WHERE}/comparisons/{found['id']}/cancel/").json()["status"] == "cancelled"
    assert api.post(f"{WHERE}/comparisons/{found['id']}/cancel/").status_code == 409


@pytest.mark.parametrize("components", [["one"], ["one", "nobody"], ["one", "one"], []])
def test_a_comparison_of_less_than_two_components_is_refused(api, workload, components):
    make_component("one", workload=workload)

    wanted = {"workload": "checkout", "components": components}
    refused = api.post(f"{WHERE}/comparisons/", wanted, format="json")

    assert refused.status_code == 400
    assert not Comparison.objects.exists()


@pytest.fixture
def change(workload):
    return ChangePoint.objects.create(
        workload=workload, first_run=a_run(workload), metric="latency.p95", before=0.1, after=0.2, unit="s",
        is_worse=True, p=0.001, votes=["ranks"], is_alarm=True,
    )  # fmt: skip


def test_a_change_is_accepted_with_its_commit_and_taken_back(client_of, change):
    curator = client_of("admin")
    where = f"{WHERE}/changes/{change.pk}/"

    told = curator.post(
        f"{where}accept/", {"commitSha": "d4e5f6a", "note": "the index"}, format="json"
    ).json()
    assert (told["state"], told["commitSha"], told["note"]) == ("accepted", "d4e5f6a", "the index")
    assert told["decidedBy"]

    assert curator.post(f"{where}reopen/").json()["state"] == "new"


def test_a_change_is_dismissed_with_a_reason_only(client_of, change):
    curator = client_of("admin")

    refused = curator.post(f"{WHERE}/changes/{change.pk}/dismiss/", {}, format="json")

    assert (refused.status_code, list(refused.json())) == (400, ["note"])
    told = curator.post(f"{WHERE}/changes/{change.pk}/dismiss/", {"note": "moved"}, format="json").json()
    assert told["state"] == "dismissed"


def test_deciding_is_for_maintainers(api, change):
    assert api.post(f"{WHERE}/changes/{change.pk}/accept/", {}, format="json").status_code == 403


def test_the_summary_is_that_of_the_last_track_that_ended(api, shop):
    assert api.get(f"{WHERE}/summary/").json() == {"status": "not run", "duration": 0.0, "phases": []}
    summary = {"status": "passed", "duration": 1.5, "phases": []}
    TrackRun.objects.create(project=shop, summary=summary, completed_at="2026-01-04T09:00:00Z")
    TrackRun.objects.create(project=shop, summary={"status": "failed"})
    TrackRun.objects.create(project=make_project("other"), summary={}, completed_at="2026-01-05T09:00:00Z")

    assert api.get(f"{WHERE}/summary/").json() == summary


@pytest.mark.parametrize("what", ["optimizations", "comparisons", "changes"])
def test_a_list_asks_a_fixed_number_of_questions(api, sides, change, what, django_assert_max_num_queries):
    for number in range(8):
        record(api, sides, name=f"n{number}")
        Comparison.objects.create(workload=change.workload)

    with django_assert_max_num_queries(12):
        assert api.get(f"{WHERE}/{what}/").status_code == 200


@pytest.mark.parametrize(
    ("query", "count"),
    [("isAlarm=true", 1), ("isAlarm=false", 0), ("state=dismissed", 0), ("workload=checkout", 1)],
)
def test_changes_are_filtered(api, change, query, count):
    assert api.get(f"{WHERE}/changes/?{query}").json()["count"] == count
