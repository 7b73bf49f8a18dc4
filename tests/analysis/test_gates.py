"""The gate: identical runs alarm at most at the promised rate, worse ones are stopped, few ask for more."""

import numpy as np
import pytest
from scipy import stats

from analysis.gates import Figure, decide
from tests.analysis.series import lognormal, resembling, white

HISTORY, NEW = 20, 3


def figures(rows, **more):
    return [Figure(f"figure {place}", row[:HISTORY], row[HISTORY:], **more) for place, row in enumerate(rows)]


@pytest.mark.parametrize("count", [1, 12])
@pytest.mark.parametrize(("noise", "cv"), [(white, 0.4), (resembling(0.5), 0.1)])
def test_identical_runs_alarm_at_most_at_the_promised_rate(count, noise, cv):
    chance = np.random.default_rng(20260106)
    repeats, budget = 300, 0.02

    verdicts = [
        decide(
            figures([lognormal(noise(chance, HISTORY + NEW), cv) for _ in range(count)]), budget=budget
        ).verdict
        for _ in range(repeats)
    ]

    assert verdicts.count("regressed") <= stats.binom.ppf(0.99, repeats, budget)
    assert verdicts.count("pass") + verdicts.count("regressed") == repeats


def test_a_wild_run_alarms_nobody():
    chance = np.random.default_rng(4)
    alarms = 0
    for _ in range(200):
        values = lognormal(white(chance, HISTORY + NEW), 0.05)
        values[HISTORY + chance.integers(NEW)] *= 5
        alarms += decide(figures([values]), budget=0.02).verdict == "regressed"

    assert alarms <= stats.binom.ppf(0.99, 200, 0.02)


def test_one_worse_figure_among_many_is_named():
    chance = np.random.default_rng(5)
    rows = [lognormal(white(chance, HISTORY + NEW), 0.05) for _ in range(12)]
    rows[7][HISTORY:] *= 1.5

    found = decide(figures(rows))

    assert found.verdict == "regressed"
    assert [one.name for one in found.regressed] == ["figure 7"]
    worst = found.figures[7]
    assert worst.p <= worst.limit
    assert worst.ratio == pytest.approx(1.5, rel=0.15)
    assert 0.05 < worst.smallest < 0.5


def test_the_change_that_is_said_to_be_seen_is_seen():
    chance = np.random.default_rng(9)
    hits, told = 0, []
    for _ in range(200):
        values = lognormal(white(chance, HISTORY + NEW), 0.1)
        values[HISTORY:] *= 1.45
        found = decide(figures([values])).figures[0]
        hits += found.verdict == "regressed"
        told.append(found.smallest)

    assert np.median(told) == pytest.approx(0.4, abs=0.08)
    assert hits / 200 >= 0.75


def test_less_throughput_is_a_regression_and_more_is_none():
    history = [100.0, 102, 98, 101, 99, 100, 103, 97, 100, 101]

    assert decide([Figure("rps", history, [60.0, 61, 62], less_is_better=False)]).verdict == "regressed"
    assert decide([Figure("rps", history, [160.0, 161, 162], less_is_better=False)]).verdict == "pass"
    assert decide([Figure("p95", history, [60.0, 61, 62])]).verdict == "pass"


def test_one_new_run_that_looks_bad_asks_for_more_and_a_good_one_passes():
    history = [100.0, 102, 98, 101, 99, 100, 103, 97, 100, 101]

    bad = decide([Figure("p95", history, [150.0])])
    good = decide([Figure("p95", history, [101.0])])

    assert (bad.verdict, bad.figures[0].more_runs) == ("not enough data", 2)
    assert "2 more" in bad.figures[0].reason
    assert good.verdict == "pass"


def test_without_a_history_nothing_is_decided():
    found = decide([Figure("p95", [1.0, 2.0], [5.0])])

    assert (found.verdict, found.figures[0].p) == ("not enough data", None)
    assert "earlier" in found.figures[0].reason
    assert decide([]).verdict == "not enough data"


def test_a_worsening_that_matters_to_nobody_passes():
    history = [100.0, 100.1, 99.9, 100, 100.2, 99.8, 100, 100.1, 99.9, 100]

    assert decide([Figure("p95", history, [103.0, 103, 103])]).verdict == "pass"
    assert decide([Figure("p95", history, [103.0, 103, 103])], same_within=0.01).verdict == "regressed"
    assert decide([Figure("p95", history, [103.0, 103, 103], floor=10)], same_within=0.01).verdict == "pass"


def test_errors_that_were_never_there_are_seen_and_a_steady_figure_passes():
    never = [0.0] * 12

    assert decide([Figure("errors", never, [0.05, 0.06, 0.04], floor=0.001)]).verdict == "regressed"
    assert decide([Figure("errors", never, [0.0, 0.0, 0.0])]).verdict == "pass"
    assert decide([Figure("errors", never, [0.0005] * 3, floor=0.001)]).verdict == "pass"
    mixed = decide([Figure("errors", [0.0, 1, 2, 1, 0, 1, 2, 1, 0, 1], [1.0, 1, 1])]).figures[0]
    assert (mixed.verdict, mixed.ratio) == ("pass", None)


@pytest.mark.parametrize(("budget", "value"), [(0, 1.0), (0.9, 1.0), (0.01, float("nan"))])
def test_a_budget_that_is_none_and_figures_that_are_missing_are_refused(budget, value):
    with pytest.raises(ValueError, match=r"budget|finite"):
        decide([Figure("p95", [1.0] * 12, [value])], budget=budget)
