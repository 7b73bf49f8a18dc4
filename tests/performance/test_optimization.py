"""Changes made to get better: whether they helped, tried again, and all of them together."""

import numpy as np
import pytest

from performance.models import Optimization
from performance.optimization import NotRecordable, describe, figure_of, judge, record_optimization
from performance.retrying import ask_again, next_retry, settle_retry
from tests.factories import NINE
from tests.performance.measured import HOUR, a_component, a_run, a_workload

pytestmark = pytest.mark.django_db


@pytest.fixture
def workload():
    return a_workload()


def some(workload, level, n=4, *, noise=0.02, seed=1, begin=0, **fields):
    chance = np.random.default_rng(seed)
    return [
        a_run(
            workload, level * float(np.exp(noise * chance.standard_normal())), number=begin + place, **fields
        )
        for place in range(n)
    ]


def optimize(workload, before, after, name="index", **fields):
    return record_optimization(
        workload, name, before=before, after=after, **{"by": "ada", "now": NINE, **fields}
    )


@pytest.mark.parametrize(
    ("level", "noise", "verdict"),
    [(0.15, 0.02, "better"), (0.3, 0.02, "worse"), (0.2, 0.005, "same"), (0.21, 0.3, "no proof")],
)
def test_the_verdict_says_whether_it_helped(workload, level, noise, verdict):
    found = optimize(
        workload, some(workload, 0.2, noise=noise), some(workload, level, noise=noise, seed=2, begin=10)
    )

    assert found.verdict == verdict
    figure = figure_of(found)
    assert figure["low"] < figure["ratio"] < figure["high"]
    assert figure["n_before"] == figure["n_after"] == 4
    assert -1 <= figure["delta"] <= 1
    assert describe(found).startswith(f"{verdict}: latency.p95 {figure['ratio']:.3f} ×")


def test_no_proof_says_how_many_runs_would_be_one(workload):
    found = optimize(
        workload, some(workload, 0.2, noise=0.1), some(workload, 0.2, noise=0.1, seed=2, begin=10)
    )

    assert found.verdict == "no proof"
    assert found.result["needed"] > 4
    assert f"to see 5% you need {found.result['needed']} runs on each side" in describe(found)


def test_what_answers_faster_because_it_fails_is_worse(workload):
    found = optimize(
        workload,
        some(workload, 0.2),
        some(workload, 0.05, seed=2, begin=10, errors=0.2),
        name="give up early",
    )

    assert (found.verdict, found.result["reason"]) == ("worse", "more requests fail")


def test_one_run_each_is_enough_once_the_noise_is_known(workload):
    alone = optimize(workload, some(workload, 0.2, 1), some(workload, 0.1, 1, begin=1), name="first")
    assert alone.verdict == "no proof"

    some(workload, 0.2, 6, begin=10, seed=5, metadata={"calibration": "one"})
    judge(alone, now=NINE)

    assert alone.verdict == "better"


def test_every_request_has_its_figures(workload):
    before = [a_run(workload, 0.2, number=n, requests={"cart": 0.1 + n / 1e3}) for n in range(4)]
    after = [a_run(workload, 0.2, number=9 + n, requests={"cart": 0.05 + n / 1e3}) for n in range(4)]

    figures = optimize(workload, before, after).result["figures"]

    (cart,) = [one for one in figures if (one["metric"], one["request"]) == ("latency.p95", "cart")]
    assert cart["verdict"] == "better"
    assert cart["q"] >= cart["p"]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("nothing before", "at least one run before"),
        ("on both sides", "either before the change or after"),
        ("of another workload", "is a run of other, not of checkout"),
        ("not measured", "was not measured whole"),
        ("another load", "The load of checkout was changed"),
    ],
)
def test_runs_that_prove_nothing_are_refused_and_nothing_is_stored(workload, fault, said):
    good, after = a_run(workload), a_run(workload, number=1)
    bad = {
        "nothing before": [],
        "on both sides": [after],
        "of another workload": [a_run(a_workload("other"))],
        "not measured": [a_run(workload, stopped_early="the target was on its knees")],
        "another load": [a_run(workload, version=2)],
    }[fault]

    with pytest.raises(NotRecordable, match=said):
        optimize(workload, bad, [after])
    assert not Optimization.objects.exists()
    assert good.pk


def test_a_name_is_given_once(workload):
    optimize(workload, [a_run(workload)], [a_run(workload, number=1)])

    with pytest.raises(NotRecordable, match="another name"):
        optimize(workload, [a_run(workload, number=2)], [a_run(workload, number=3)])


class Target:
    def __init__(self, workload, **levels):
        self.workload, self.levels, self.asked = workload, levels, []
        self.chance = np.random.default_rng(8)
        self.is_gone = False

    def start(self, workload, *, component, metadata, **given):
        self.asked.append((metadata["side"], component and component.name))
        level = self.levels[component.name if component else "own"]
        value = level * float(np.exp(0.05 * self.chance.standard_normal()))
        return a_run(
            workload, None if self.is_gone else value, status="error" if self.is_gone else "passed",
            component=component, metadata=metadata, number=100 + len(self.asked), purpose=given["purpose"],
        )  # fmt: skip

    def retry(self, optimization):
        while next_retry(optimization, start=self.start, now=NINE + HOUR):
            optimization.refresh_from_db()
        optimization.refresh_from_db()
        settle_retry(optimization, now=NINE + HOUR)
        return optimization


def test_noise_is_answered_by_more_runs_in_turn(workload):
    old, new = a_component(workload, "old"), a_component(workload, "new")
    before = some(workload, 0.2, 2, noise=0.2, component=old)
    after = some(workload, 0.15, 2, noise=0.2, seed=3, component=new, begin=5)
    found = optimize(workload, before, after)
    assert found.verdict == "no proof"
    wide = figure_of(found)
    target = Target(workload, old=0.2, new=0.15)

    planned = ask_again(found, by="ada", now=NINE)
    target.retry(found)

    assert target.asked[:4] == [("before", "old"), ("after", "new")] * 2
    assert len(target.asked) == len(planned) <= 10
    narrow = figure_of(found)
    assert narrow["high"] / narrow["low"] < wide["high"] / wide["low"]
    assert (narrow["n_before"], narrow["n_after"]) == (4, 4)
    assert (found.tries, found.result["planned"]) == (1, [])


def test_a_system_changed_in_place_is_measured_after_the_change_only(workload):
    found = optimize(workload, some(workload, 0.2, 4, noise=0.1), some(workload, 0.19, 1, noise=0.1, begin=9))
    target = Target(workload, own=0.19)

    ask_again(found, by="ada", now=NINE, most=3)
    target.retry(found)

    assert target.asked == [("after", None)] * 3


def test_a_target_that_is_gone_ends_the_tries_and_says_so(workload):
    found = optimize(workload, some(workload, 0.2, 2), some(workload, 0.2, 2, begin=5))
    target = Target(workload, own=0.2)
    target.is_gone = True

    ask_again(found, by="ada", now=NINE)
    target.retry(found)

    assert len(target.asked) == 1
    assert "measured nothing" in found.result["stopped"]


def test_every_try_demands_more_because_each_is_one_more_look(workload):
    found = optimize(workload, some(workload, 0.2, 3), some(workload, 0.19, 3, begin=5))
    first = found.result["sure"]

    ask_again(found, by="ada", now=NINE)
    judge(found, now=NINE)

    assert (first, found.result["sure"]) == (0.95, 0.975)


def test_looking_again_and_again_at_equal_runs_proves_nothing():
    proven = 0
    for seed in range(12):
        workload = a_workload(f"w{seed}")
        before = some(workload, 0.2, 2, noise=0.05, seed=seed)
        found = optimize(workload, before, some(workload, 0.2, 2, noise=0.05, seed=seed + 99, begin=5))
        target = Target(workload, own=0.2)
        target.chance = np.random.default_rng(seed)
        ask_again(found, by="ada", now=NINE, most=4)
        target.retry(found)
        proven += found.verdict in ("better", "worse")

    assert proven <= 2
