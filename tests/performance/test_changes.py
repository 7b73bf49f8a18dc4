"""Series watched over many runs: alarms, doubts, and what a curator decided."""

import numpy as np
import pytest

from access.models import AuditEntry
from performance import changes
from performance.models import ChangePoint
from performance.noise import history, identical_groups
from tests.factories import NINE, make_user
from tests.performance.measured import HOUR, a_component, a_run, a_workload

pytestmark = pytest.mark.django_db


@pytest.fixture
def workload():
    return a_workload()


def series(workload, levels, *, noise=0.03, seed=1, begin=0, **fields):
    chance = np.random.default_rng(seed)
    return [
        a_run(
            workload, level * float(np.exp(noise * chance.standard_normal())),
            number=begin + place, commit_sha=f"{begin + place:040x}", **fields,
        )
        for place, level in enumerate(levels)
    ]  # fmt: skip


def watch(workload, **where):
    return changes.watch_workload(workload, now=NINE + 200 * HOUR, **{"branch": "main", **where})


def of_p95():
    return list(ChangePoint.objects.filter(metric="latency.p95", request=""))


def test_a_change_is_found_with_its_run_its_commit_and_its_size(workload):
    runs = series(workload, [0.2] * 20 + [0.26] * 20)

    found = watch(workload)

    (change,) = of_p95()
    assert change.first_run == runs[20]
    assert (change.last_run_before, change.commit_sha) == (runs[19], f"{20:040x}")
    assert change.ratio == pytest.approx(1.3, rel=0.05)
    assert change.is_worse
    assert change.p < 0.001
    assert "since" in changes.describe(change)
    assert change in found.changes


def test_two_voters_that_agree_make_an_alarm_and_tell_it_once(workload):
    series(workload, [0.2] * 20 + [0.3] * 20, noise=0.02)

    told = [watch(workload), watch(workload)]

    (change,) = of_p95()
    assert set(change.votes) == {"ranks", "student"}
    assert change in told[0].alarms
    assert told[1].alarms == []
    assert list(ChangePoint.objects.open_alarms().filter(metric="latency.p95")) == [change]


def a_doubt(workload):
    """Too few runs after the change for the second voter."""
    series(workload, [0.2] * 20 + [0.3] * 8, noise=0.02)
    found = watch(workload)
    (change,) = of_p95()
    return found, change


def test_one_voter_alone_makes_a_doubt_and_no_alarm(workload):
    found, change = a_doubt(workload)

    assert change.votes == ["ranks"]
    assert not change.is_alarm
    assert change in found.doubts


@pytest.mark.parametrize(
    ("reruns", "is_alarm"),
    [([0.3, 0.3], True), ([0.2, 0.2], False), ([0.2, 0.3, 0.3], True), ([0.3, 0.2, 0.2], False)],
)
def test_the_first_two_runs_that_agree_decide(workload, reruns, is_alarm):
    _, change = a_doubt(workload)

    for number, again in enumerate(reruns, start=28):
        assert change in watch(workload).doubts, "one run alone decides nothing"
        last = a_run(workload, again, number=number, metadata={"confirms": [change.pk]})
    found = watch(workload)

    assert [one.confirmed_by for one in of_p95() if one.is_alarm] == ([last] if is_alarm else [])
    assert (change in found.alarms) is is_alarm
    assert change not in found.doubts, "nothing more is asked for"


@pytest.mark.parametrize("odd", [7, "7", None, True, {"7": 7}, [[7]]])
def test_metadata_of_any_shape_does_not_keep_a_workload_from_being_watched(workload, odd):
    _, change = a_doubt(workload)
    a_run(workload, 0.3, number=28, metadata={"confirms": odd, "calibration": odd})

    assert change in watch(workload).doubts
    assert identical_groups(history(workload)) == []


def test_a_run_of_another_tool_is_no_reason_to_put_load_on_anything(workload):
    series(workload, [0.2] * 20 + [0.3] * 8, noise=0.02, tool="k6")

    assert watch(workload).doubts == []


@pytest.mark.parametrize("decision", ["dismissed", "accepted"])
def test_what_was_decided_stays_decided_when_it_is_found_again(workload, decision):
    _, change = a_doubt(workload)
    ada = make_user()
    if decision == "dismissed":
        changes.dismiss(change, by=ada, now=NINE, note="the machine was moved")
    else:
        changes.accept(change, by=ada, now=NINE, note="the new index", commit_sha="abc123")
    series(workload, [0.3] * 20, noise=0.02, begin=28, seed=2)

    found = watch(workload)

    (again,) = of_p95()
    assert (again.pk, again.state, again.decided_by) == (change.pk, decision, "ada")
    assert again not in found.alarms
    assert AuditEntry.objects.get(action=f"performance.change.{decision}").actor == ada


def test_accepting_ties_it_to_a_commit(workload):
    _, change = a_doubt(workload)

    changes.accept(change, by=make_user(), now=NINE, commit_sha="d4e5f6a")

    assert of_p95()[0].commit_sha == "d4e5f6a"


def test_dismissing_wants_a_reason(workload):
    _, change = a_doubt(workload)

    with pytest.raises(ValueError, match="Say why"):
        changes.dismiss(change, by=make_user(), now=NINE, note=" ")
    assert of_p95()[0].state == "new"


def test_a_decision_can_be_taken_back(workload):
    _, change = a_doubt(workload)
    changes.dismiss(change, by=make_user(), now=NINE, note="noise")

    changes.reopen(change, by=make_user(), now=NINE)

    assert (of_p95()[0].state, of_p95()[0].decided_at) == ("new", None)


def test_what_later_runs_show_to_be_noise_is_forgotten(workload):
    runs = series(workload, [0.2] * 30)
    gone = ChangePoint.objects.create(
        workload=workload, metric="latency.p95", first_run=runs[12], before=0.2, after=0.3, unit="s",
        is_worse=True, p=0.01, votes=["ranks"],
    )  # fmt: skip

    watch(workload)

    assert not ChangePoint.objects.filter(pk=gone.pk).exists()


def test_branches_components_and_versions_are_series_of_their_own(workload):
    old, new = a_component(workload, "old"), a_component(workload, "new")
    series(workload, [0.2] * 12, component=old)
    series(workload, [0.4] * 12, component=new, begin=12)
    series(workload, [0.2] * 12)
    series(workload, [0.5] * 12, branch="feature", begin=12)
    workload.version = 2
    workload.save()
    series(workload, [0.8] * 12, begin=24)

    for component in (None, old, new):
        for branch in ("main", "feature"):
            watch(workload, component=component, branch=branch)

    assert not ChangePoint.objects.exists()


def test_a_change_in_one_request_is_told_of_that_request(workload):
    chance = np.random.default_rng(3)
    for place in range(40):
        cart, pay = np.exp(0.02 * chance.standard_normal(2)) * [0.1, 0.1 if place < 20 else 0.2]
        a_run(workload, 0.2, number=place, requests={"cart": float(cart), "pay": float(pay)})

    watch(workload)

    found = ChangePoint.objects.filter(metric="latency.p95")
    assert [(change.request, change.first_run.started_at) for change in found] == [("pay", NINE + 20 * HOUR)]


def test_unchanged_series_seldom_alarm():
    alarms = doubted = 0
    for seed in range(12):
        workload = a_workload(f"w{seed}")
        series(workload, [0.2] * 40, noise=0.1, seed=seed)
        found = watch(workload)
        alarms += bool(found.alarms)
        doubted += bool(found.changes)

    assert alarms == 0
    assert doubted <= 2


def test_the_cost_of_watching_does_not_grow_with_the_series(workload, django_assert_max_num_queries):
    for place in range(30):
        a_run(workload, 0.2, number=place, requests={f"r{one}": 0.1 for one in range(10)})

    with django_assert_max_num_queries(8):
        watch(workload)
