"""Runs compared: intervals that cover, chances that are kept, and what could not have been seen."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from performance.power import runs_needed, smallest_change
from performance.ranking import rank_components
from performance.verdicts import Noise, Verdict, holm, judge_pairs, judge_runs, pooled, product

SIMULATIONS = 2000
figures = st.lists(st.floats(1e-3, 1e3), min_size=2, max_size=8)


def runs(chance, n, *, level=0.2, noise=0.1):
    return level * np.exp(noise * chance.standard_normal(n))


@pytest.mark.parametrize(("n", "m"), [(2, 2), (5, 3), (10, 10)])
def test_the_interval_equals_students_in_closed_form(n, m):
    chance = np.random.default_rng(1)
    before, after = runs(chance, n), runs(chance, m)

    found = judge_runs(before, after)

    known = stats.ttest_ind(np.log(after), np.log(before))
    assert found.p == pytest.approx(known.pvalue)
    low, high = known.confidence_interval(0.95)
    assert (math.log(found.low), math.log(found.high)) == pytest.approx((low, high))
    assert found.ratio == pytest.approx(stats.gmean(after) / stats.gmean(before))


@pytest.mark.parametrize(
    ("n", "m", "known"), [(3, 3, 0), (10, 10, 0), (1, 1, 10), (5, 1, 10)], ids=lambda value: str(value)
)
def test_the_interval_covers_the_truth_in_95_of_100(n, m, known):
    chance = np.random.default_rng(n * 100 + m)
    covered = 0
    for _ in range(SIMULATIONS):
        noise = None
        if known:
            noise = pooled([np.log(runs(chance, known + 1))])
        found = judge_runs(runs(chance, n), runs(chance, m, level=0.2 * 1.1), noise=noise)
        covered += found.low <= 1.1 <= found.high

    assert 0.93 <= covered / SIMULATIONS <= 0.97


def test_unchanged_runs_are_seldom_called_better_or_worse():
    chance = np.random.default_rng(7)
    words = [judge_runs(runs(chance, 4), runs(chance, 4)).verdict for _ in range(SIMULATIONS)]

    assert (words.count("better") + words.count("worse")) / SIMULATIONS <= 0.06


@pytest.mark.parametrize("noise", [0.02, 0.05, 0.1])
def test_the_runs_that_are_said_to_be_needed_do_show_it(noise):
    known = Noise(noise, 20)
    n = runs_needed(0.05, known)
    chance = np.random.default_rng(11)

    seen = 0
    for _ in range(SIMULATIONS):
        told = Noise(noise * math.sqrt(chance.chisquare(20) / 20), 20)
        found = judge_runs(runs(chance, n, noise=noise), runs(chance, n, level=0.21, noise=noise), noise=told)
        seen += found.verdict == "worse"

    # Whole runs only: the smallest number that gives 80 % gives a little more.
    assert 0.75 <= seen / SIMULATIONS <= 0.97


def test_more_noise_needs_more_runs_and_no_noise_needs_one():
    needed = [runs_needed(0.05, Noise(noise, 10)) for noise in (0.0, 0.01, 0.05, 0.1, 0.3)]

    assert needed == sorted(needed)
    assert needed[0] == 1
    assert runs_needed(0.001, Noise(1.0, 10)) is None


def test_the_smallest_change_is_the_one_seen_in_four_of_five_cases():
    known, chance = Noise(0.05, 1000), np.random.default_rng(5)
    level = 0.2 * math.exp(smallest_change(known, 4, 4))
    found = [
        judge_runs(runs(chance, 4, noise=0.05), runs(chance, 4, level=level, noise=0.05), noise=known).verdict
        for _ in range(1000)
    ]

    assert found.count("worse") / 1000 == pytest.approx(0.8, abs=0.04)


@pytest.mark.parametrize(
    ("after", "less_is_better", "verdict"),
    [
        ([2.0, 2.01, 1.99], True, "worse"),
        ([2.0, 2.01, 1.99], False, "better"),
        ([0.5, 0.51, 0.49], True, "better"),
        ([1.01, 1.0, 0.99], True, "same"),
        ([1.5, 0.6, 1.2], True, "no proof"),
    ],
)
def test_a_verdict_knows_which_way_is_better(after, less_is_better, verdict):
    assert judge_runs([1.0, 1.01, 0.99], after, less_is_better=less_is_better).verdict == verdict


def test_one_run_each_proves_nothing_unless_the_noise_is_known():
    alone = judge_runs([1.0], [2.0])

    assert (alone.verdict, alone.low) == ("no proof", None)
    assert "make more" in alone.reason
    assert judge_runs([1.0], [2.0], noise=Noise(0.05, 10)).verdict == "worse"


def test_a_share_of_errors_is_compared_by_its_difference():
    found = judge_runs([0.0, 0.0], [0.1, 0.12], is_ratio=False, same_within=0.002, noise=Noise(0.003, 30))

    assert (found.verdict, found.before) == ("worse", 0.0)
    assert 0.08 < found.low < 0.11 < found.high
    assert judge_runs([0.0], [1.0]).reason == "a figure of zero has no ratio"


@given(figures, figures)
def test_before_and_after_swapped_is_the_reciprocal(before, after):
    there, back = judge_runs(before, after), judge_runs(after, before)

    assert there.ratio == pytest.approx(1 / back.ratio, rel=1e-6)
    assert there.delta == pytest.approx(-back.delta)
    assert there.p == pytest.approx(back.p, abs=1e-9)


@given(figures, st.floats(1e-3, 1e3))
def test_the_unit_of_a_figure_changes_nothing(values, unit):
    before, after = values, values[::-1]

    one = judge_runs(before, after)
    other = judge_runs([value * unit for value in before], [value * unit for value in after])
    assert one.ratio == pytest.approx(other.ratio, rel=1e-6)
    assert one.verdict == other.verdict


def test_pairs_cancel_what_a_round_shares():
    drift = np.array([1.0, 1.5, 2.2, 3.0, 4.0])
    first, second = drift * [1.0, 1.01, 0.99, 1.0, 1.01], drift * [1.1, 1.12, 1.09, 1.1, 1.11]

    assert judge_runs(first, second).verdict == "no proof"
    paired = judge_pairs(first, second)
    assert paired.verdict == "worse"
    assert paired.p == pytest.approx(stats.ttest_rel(np.log(second), np.log(first)).pvalue)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_what_the_book_says(p_values):
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    adjusted, worst = {}, 0.0
    for place, index in enumerate(order):
        worst = max(worst, min(1.0, (len(order) - place) * p_values[index]))
        adjusted[index] = worst

    assert holm(p_values) == [adjusted[place] for place in range(len(p_values))]


def test_ratios_multiply_and_their_errors_add_up():
    parts = [
        Verdict(2, 2, ratio=0.8, error=0.03, freedom=10),
        Verdict(2, 2, ratio=0.9, error=0.04, freedom=10),
    ]

    ratio, low, high = product(parts)

    assert ratio == pytest.approx(0.72)
    freedom = 0.0025**2 / (0.03**4 / 10 + 0.04**4 / 10)
    assert math.log(high / low) / 2 == pytest.approx(0.05 * stats.t.ppf(0.975, freedom))
    assert product([Verdict(1, 1)]) is None


class Part:
    def __init__(self, name, price_per_hour=None, currency="USD"):
        self.name, self.price_per_hour, self.currency = name, price_per_hour, currency


def table(chance, levels, *, rounds=6, noise=0.02, errors=None, rate=100.0):
    drift = np.exp(np.cumsum(0.2 * chance.standard_normal(rounds)))
    keys = [(name, number) for name in levels for number in range(rounds)]
    return {
        "latency.p95": {
            (name, number): levels[name] * drift[number] * math.exp(noise * chance.standard_normal())
            for name, number in keys
        },
        "throughput": dict.fromkeys(keys, rate),
        "error_share": {(name, number): (errors or {}).get(name, 0.0) for name, number in keys},
    }


def test_components_are_ranked_through_drift_and_priced():
    chance = np.random.default_rng(3)
    found = rank_components(
        [Part("slow", 0.36), Part("fast", 0.72), Part("middle")],
        table(chance, {"slow": 0.3, "fast": 0.1, "middle": 0.2}),
        primary="latency.p95",
        same_within=0.05,
    )

    assert [one["component"] for one in found["ranking"]] == ["fast", "middle", "slow"]
    assert not any(one["is_tied"] for one in found["ranking"][1:])
    third = found["ranking"][2]
    assert third["ratio_low"] < 3.0 < third["ratio_high"]
    # 0.36 an hour is 0.0001 a second; at 100 a second a million requests take 10,000 seconds.
    assert third["cost_per_million"] == pytest.approx(1.0)
    assert found["ranking"][1]["cost_per_million"] is None
    assert len(found["pairs"]["latency.p95"]) == 3


def test_equal_components_are_seldom_told_apart():
    chance, told = np.random.default_rng(9), 0
    for _ in range(300):
        found = rank_components(
            [Part("a"), Part("b"), Part("c")],
            table(chance, {"a": 0.1, "b": 0.1, "c": 0.1}),
            primary="latency.p95",
            same_within=0.01,
        )
        told += any(pair["is_decided"] for pair in found["pairs"]["latency.p95"])

    assert told / 300 <= 0.08


def test_a_component_that_fails_fast_is_not_first():
    found = rank_components(
        [Part("broken"), Part("sound")],
        table(np.random.default_rng(2), {"broken": 0.01, "sound": 0.2}, errors={"broken": 0.3}),
        primary="latency.p95",
        same_within=0.05,
    )

    assert [one["component"] for one in found["ranking"]] == ["sound", "broken"]
    assert "broken fails too often" in found["answer"]


def test_nothing_measured_ranks_nothing():
    found = rank_components([Part("a")], {}, primary="latency.p95", same_within=0.05)

    assert found["ranking"] == []
    assert found["answer"] == "Nothing was measured, so nothing can be ranked."
