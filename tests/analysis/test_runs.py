"""Runs compared by their ratio, and how many that takes: intervals that cover, power that is kept."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.power import noise_of, power_of, runs_needed, smallest_effect
from analysis.runs import compare_runs, seed_of
from tests.analysis.series import lognormal, white


@pytest.mark.parametrize(("n", "m", "repeats"), [(5, 5, 300), (8, 12, 250)])
def test_identical_runs_are_covered_as_promised(n, m, repeats):
    chance = np.random.default_rng(1)
    found = [
        compare_runs(lognormal(white(chance, n), 0.3), lognormal(white(chance, m), 0.3), seed=place)
        for place in range(repeats)
    ]

    covered = np.mean([one.low <= 1 <= one.high for one in found])

    assert 0.92 <= covered <= 0.99
    assert np.mean([one.verdict in {"slower", "faster"} for one in found]) <= 0.07


def test_a_planted_change_is_found_with_its_size():
    chance = np.random.default_rng(2)
    base, head = lognormal(white(chance, 20), 0.05), 1.2 * lognormal(white(chance, 20), 0.05)

    found = compare_runs(base, head, seed=1)

    assert found.verdict == "slower"
    assert found.low <= 1.2 <= found.high
    assert found.ratio == pytest.approx(1.2, abs=0.04)
    assert (found.base, found.head) == (np.median(base), np.median(head))
    assert found.p == pytest.approx(stats.mannwhitneyu(head, base).pvalue)
    assert found.delta > 0.9
    assert 0.02 < found.smallest < 0.07


def test_more_throughput_is_faster():
    base, head = [100, 101, 102, 99, 100], [150, 152, 151, 149, 150]

    assert compare_runs(base, head, seed=1, less_is_better=False).verdict == "faster"
    assert compare_runs(head, base, seed=1, less_is_better=False).verdict == "slower"


def test_the_same_is_said_only_where_it_is_proved():
    chance = np.random.default_rng(3)

    assert (
        compare_runs(lognormal(white(chance, 30), 0.02), lognormal(white(chance, 30), 0.02), seed=1).verdict
        == "same"
    )
    noisy = compare_runs(lognormal(white(chance, 6), 0.5), lognormal(white(chance, 6), 0.5), seed=1)
    assert noisy.verdict == "not enough data"


def test_runs_without_a_ratio_still_have_a_verdict():
    found = compare_runs([0.0] * 8, [5.0, 6, 7, 5, 6, 7, 8, 9], seed=1, floor=1)

    assert (found.ratio, found.low, found.verdict) == (None, None, "slower")


@pytest.mark.parametrize(("base", "head", "ratio"), [([], [1.0], None), ([1.0, 1.0, 1.0], [2.0, 2.0], 2.0)])
def test_few_runs_prove_nothing(base, head, ratio):
    found = compare_runs(base, head, seed=1)

    assert (found.verdict, found.low) == ("not enough data", None)
    assert found.ratio == (None if ratio is None else pytest.approx(ratio))


def test_figures_that_are_missing_and_too_few_resamples_are_refused():
    with pytest.raises(ValueError, match="finite"):
        compare_runs([1.0, float("nan")], [1.0], seed=1)
    with pytest.raises(ValueError, match="resamples"):
        compare_runs([1.0], [1.0], seed=1, resamples=100)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.floats(0.01, 1e6), min_size=4, max_size=12),
    st.lists(st.floats(0.01, 1e6), min_size=4, max_size=12),
    st.sampled_from([0.001, 1000.0]),
)
def test_units_do_not_matter_and_the_same_seed_repeats_to_the_last_digit(base, head, unit):
    found = compare_runs(base, head, seed=seed_of("a", "b"))
    scaled = compare_runs(
        [unit * value for value in base], [unit * value for value in head], seed=seed_of("a", "b")
    )

    assert compare_runs(base, head, seed=seed_of("a", "b")) == found
    assert found.low <= found.ratio * (1 + 1e-9)
    assert found.ratio <= found.high * (1 + 1e-9)
    assert (scaled.ratio, scaled.low, scaled.high) == pytest.approx((found.ratio, found.low, found.high))


def test_many_runs_are_compared_in_little_memory_and_close_to_the_plain_shift():
    chance = np.random.default_rng(9)
    base, head = lognormal(white(chance, 300), 0.2), 1.1 * lognormal(white(chance, 300), 0.2)

    found = compare_runs(base, head, seed=1)

    plain = np.exp(np.median(np.subtract.outer(np.log(head), np.log(base))))
    assert found.ratio == pytest.approx(plain, rel=0.002)
    assert found.low < 1.1 < found.high


@pytest.mark.parametrize(("cv", "effect"), [(0.1, 0.08), (0.3, 0.3), (0.05, -0.04)])
def test_realized_power_is_within_five_points_of_the_nominal(cv, effect):
    chance = np.random.default_rng(20260105)
    n = runs_needed(cv, effect, power=0.8)
    pairs = [
        (lognormal(white(chance, n), cv), (1 + effect) * lognormal(white(chance, n), cv)) for _ in range(800)
    ]

    seen = np.mean([stats.mannwhitneyu(base, head).pvalue < 0.05 for base, head in pairs])

    assert seen == pytest.approx(0.8, abs=0.05)


def test_the_comparison_itself_has_the_power_that_was_promised():
    chance = np.random.default_rng(6)
    n = runs_needed(0.15, 0.2)

    found = [
        compare_runs(lognormal(white(chance, n), 0.15), 1.2 * lognormal(white(chance, n), 0.15), seed=place)
        for place in range(120)
    ]

    assert np.mean([one.low > 1 for one in found]) == pytest.approx(0.8, abs=0.1)
    assert np.mean([one.smallest for one in found]) == pytest.approx(0.2, rel=0.2)


def test_power_agrees_with_the_noncentral_t():
    gap, n = np.log(1.1) / np.sqrt(np.log1p(0.01)), 20
    edge = stats.t.ppf(0.975, 2 * n - 2)

    expected = stats.nct.sf(edge, 2 * n - 2, gap * np.sqrt(n * 3 / np.pi / 2))

    assert power_of(n, 0.1, 0.1) == pytest.approx(expected, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.01, 1.0), st.floats(0.02, 2.0))
def test_the_runs_needed_are_the_fewest_and_the_smallest_effect_their_inverse(cv, effect):
    n = runs_needed(cv, effect)

    assert power_of(n, cv, effect) >= 0.8
    assert n == 4 or power_of(n - 1, cv, effect) < 0.8
    assert smallest_effect(n, cv) <= effect * 1.001


def test_what_no_number_of_runs_shows_and_what_needs_none():
    assert runs_needed(5.0, 0.0001) is None
    assert runs_needed(0.0, 0.05) == 4
    assert smallest_effect(3, 0.1) is None
    assert smallest_effect(10, 0.0) == 0
    assert power_of(3, 0.1, 0.5) == 0
    assert runs_needed([10.0, 11.0, 9.5, 10.5], 0.1) == runs_needed(noise_of([10.0, 11.0, 9.5, 10.5]), 0.1)


def test_noise_is_told_by_the_runs_themselves():
    chance = np.random.default_rng(2)

    seen = [noise_of(7 * lognormal(white(chance, 6), 0.2)) for _ in range(2000)]

    assert np.mean(seen) == pytest.approx(0.2, rel=0.05)
    assert noise_of([1.0]) is None


@pytest.mark.parametrize(
    "ask",
    [
        lambda: noise_of([1.0, -1.0]),
        lambda: runs_needed([1.0], 0.1),
        lambda: runs_needed(0.1, 0),
        lambda: power_of(10, 0.1, -1),
        lambda: smallest_effect(10, -0.1),
        lambda: smallest_effect(10, 0.1, alpha=2),
    ],
)
def test_questions_without_an_answer_are_refused(ask):
    with pytest.raises(ValueError, match=r"above zero|two runs|effect|noise|alpha"):
        ask()
