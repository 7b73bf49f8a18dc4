"""Components in turn: the order, what an interruption leaves, and the ranking."""

import pytest

from access.models import AuditEntry
from performance.comparison import (
    NotComparable,
    cancel_comparison,
    next_turn,
    order_of,
    start_comparison,
    turns_left,
)
from performance.models import Comparison, Workload
from tests.factories import NINE
from tests.performance.measured import HOUR, a_component, a_run, a_workload
from tracking.models import TestRun

pytestmark = pytest.mark.django_db


@pytest.fixture
def workload():
    return a_workload()


@pytest.fixture
def components(workload):
    return [a_component(workload, name) for name in ("sqlite", "postgres", "memory")]


class Target:
    """Stands in for `start_workload_run` and the drive after it: a run is measured at once."""

    def __init__(self, **levels):
        self.levels, self.asked, self.ends = levels, [], {}

    def start(self, workload, *, component, metadata, now, seed=None, driver="", **given):
        self.asked.append((component.name, metadata["round"], seed))
        number, drift = len(self.asked), 1 + len(self.asked) / 10
        end = self.ends.pop(number, "passed")
        p95 = None if end in ("error", "running") else self.levels[component.name] * drift**0.1
        fields = {"component": component, "metadata": metadata, "status": end, "number": number}
        return a_run(workload, p95, **fields, purpose=given["purpose"])


def compare(workload, components, **fields):
    return start_comparison(workload, components, **{"by": "ada", "now": NINE, "seed": 4, **fields})


def go_on(comparison, target, most=100):
    for _ in range(most):
        if next_turn(comparison, start=target.start, now=NINE + HOUR) is None:
            break
    comparison.refresh_from_db()
    return comparison


def test_every_round_has_every_component_once_in_an_order_of_its_own(workload, components):
    comparison = compare(workload, components, rounds=6)
    target = Target(sqlite=0.3, postgres=0.2, memory=0.1)

    go_on(comparison, target)

    rounds = [[name for name, number, _ in target.asked if number == one] for one in range(1, 7)]
    assert all(sorted(names) == ["memory", "postgres", "sqlite"] for names in rounds)
    assert len({tuple(names) for names in rounds}) > 1
    assert [number for _, number, _ in target.asked] == sorted(number for _, number, _ in target.asked)
    seeds = {number: {seed for _, one, seed in target.asked if one == number} for number in range(1, 7)}
    assert all(len(found) == 1 for found in seeds.values()), "the same arrivals within a round"


def test_the_order_is_drawn_by_the_seed(workload, components):
    one, same, other = (compare(workload, components, rounds=8, seed=seed) for seed in (1, 1, 2))
    orders = [[[c.name for c in order_of(made, n)] for n in range(1, 9)] for made in (one, same, other)]

    assert orders[0] == orders[1] != orders[2]


def test_components_are_ranked_with_intervals(workload, components):
    comparison = go_on(compare(workload, components, rounds=5), Target(sqlite=0.3, postgres=0.2, memory=0.1))

    assert comparison.status == Comparison.Status.DONE
    ranking = comparison.result["ranking"]
    assert [one["component"] for one in ranking] == ["memory", "postgres", "sqlite"]
    assert ranking[2]["ratio_low"] < 3 < ranking[2]["ratio_high"]
    assert comparison.result["answer"].startswith("memory is first by latency.p95; postgres takes 2.0")
    assert comparison.result["left_out"] == []


def test_a_killed_comparison_goes_on_with_the_turn_that_is_missing(workload, components):
    comparison = compare(workload, components, rounds=2)
    target = Target(sqlite=0.3, postgres=0.2, memory=0.1)
    go_on(comparison, target, most=4)

    again = Comparison.objects.get(pk=comparison.pk)
    assert turns_left(again) == 2
    go_on(again, target)

    assert len(target.asked) == len(set(target.asked)) == 6
    assert again.status == Comparison.Status.DONE


def test_one_run_at_a_time(workload, components):
    comparison = compare(workload, components)
    target = Target(sqlite=0.3, postgres=0.2, memory=0.1)
    target.ends = {1: "running"}

    first = next_turn(comparison, start=target.start, now=NINE)

    assert next_turn(comparison, start=target.start, now=NINE) is None
    TestRun.objects.filter(pk=first.pk).update(status="error", reason="killed", completed_at=NINE + 9 * HOUR)
    assert next_turn(comparison, start=target.start, now=NINE) is not None


def test_a_turn_that_measured_nothing_is_had_again_once(workload, components):
    comparison = compare(workload, components, rounds=3)
    target = Target(sqlite=0.3, postgres=0.2, memory=0.1)
    target.ends = {2: "error", 3: "error"}

    go_on(comparison, target)

    assert len(target.asked) == 3 * 3 + 1
    (left,) = comparison.result["left_out"]
    assert left["reason"] == "it ended as error"
    assert len(comparison.result["ranking"]) == 3
    assert comparison.status == Comparison.Status.DONE


def test_when_nothing_could_be_measured_it_has_failed(workload, components):
    comparison = compare(workload, components[:2], rounds=1)
    target = Target()
    target.ends = dict.fromkeys(range(1, 9), "error")

    go_on(comparison, target)

    assert (comparison.status, comparison.reason) == (
        "failed",
        "No run of any component was measured whole.",
    )


def test_a_cancelled_one_starts_nothing_more(workload, components):
    comparison = compare(workload, components)
    target = Target(sqlite=0.3, postgres=0.2, memory=0.1)

    assert cancel_comparison(comparison, by="ada", now=NINE)
    assert not cancel_comparison(comparison, by="ada", now=NINE)

    assert next_turn(comparison, start=target.start, now=NINE) is None
    assert list(AuditEntry.objects.order_by("pk").values_list("action", flat=True)) == [
        "performance.comparison.start",
        "performance.comparison.cancel",
    ]


@pytest.mark.parametrize(
    ("names", "rounds", "said"),
    [
        (["sqlite"], 4, "needs two components or more"),
        (["sqlite", "sqlite"], 4, "needs two components or more"),
        (["sqlite", "foreign"], 4, "must be of checkout"),
        (["sqlite", "postgres"], 0, "1 to 100 rounds"),
        (["sqlite", "postgres"], 101, "1 to 100 rounds"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_stored(workload, components, names, rounds, said):
    made = {one.name: one for one in components}
    made["foreign"] = a_component(Workload.objects.get(pk=a_workload("other").pk), "foreign")

    with pytest.raises(NotComparable, match=said):
        compare(workload, [made[name] for name in names], rounds=rounds)
    assert not Comparison.objects.exists()
