"""Comparing two samples: intervals that cover, verdicts that hold, the same answer every time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.comparison import MOST, benjamini_hochberg, compare, compare_means, compare_pairs

SHAPES = {
    "normal": lambda chance, shape: chance.normal(100, 10, shape),
    "lognormal": lambda chance, shape: chance.lognormal(3, 0.6, shape),
    "exponential": lambda chance, shape: chance.exponential(20, shape),
}


@pytest.mark.parametrize(("shape", "n"), [("normal", 8), ("lognormal", 34), ("exponential", 20)])
def test_identical_runs_are_covered_at_93_to_97_percent_of_2000(shape, n):
    chance = np.random.default_rng(20260104)
    pairs = SHAPES[shape](chance, (2000, 2, n))

    found = [compare(base, head) for base, head in pairs]

    covered = np.mean([one.low <= 0 <= one.high for one in found])
    assert 0.93 <= covered <= 0.97
    assert np.mean([one.verdict in ("slower", "faster") for one in found]) <= 0.07


def test_a_planted_shift_is_found_with_its_size():
    chance = np.random.default_rng(1)
    base = chance.normal(200, 10, 34)

    found = compare(base, chance.normal(220, 10, 34))

    assert found.verdict == "slower"
    assert found.low <= 20 <= found.high
    assert found.ratio == pytest.approx(1.1, abs=0.03)
    assert found.delta > 0.8


def test_what_is_the_same_is_said_to_be_the_same_and_not_only_unproved():
    chance = np.random.default_rng(2)

    assert compare(chance.normal(100, 1, 50), chance.normal(100.5, 1, 50)).verdict == "same"
    assert compare(chance.normal(100, 60, 6), chance.normal(110, 60, 6)).verdict == "not enough data"


def test_the_shift_and_the_test_are_those_of_scipy():
    base, head = [1.1, 2.2, 3.0, 4.7, 6.1, 7.9], [2.0, 3.3, 5.5, 6.6, 8.8]

    found = compare(base, head)

    assert found.difference == pytest.approx(np.median([h - b for h in head for b in base]))
    assert found.p == pytest.approx(stats.mannwhitneyu(head, base).pvalue)


@pytest.mark.parametrize(("base", "head"), [([], [1.0]), ([1.0, 2.0], [2.0, 3.0, 4.0, 5.0]), ([], [])])
def test_few_values_prove_nothing(base, head):
    found = compare(base, head)

    assert (found.verdict, found.low, found.p) == ("not enough data", None, None)


def test_a_base_of_zero_has_no_ratio_and_still_a_verdict():
    found = compare([0.0] * 10, [60.0 + number for number in range(10)], floor=1.0)

    assert (found.ratio, found.verdict) == (None, "slower")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(0, 1e6), min_size=4, max_size=30),
    st.lists(st.floats(0, 1e6), min_size=4, max_size=30),
    st.randoms(use_true_random=False),
)
def test_order_does_not_matter_and_the_other_way_round_is_the_mirror(base, head, chance):
    found, back = compare(base, head), compare(head, base)
    chance.shuffle(base)

    assert compare(base, head) == found
    assert found.low <= found.difference <= found.high
    assert (back.low, back.high) == pytest.approx((-found.high, -found.low))


def test_a_sample_of_any_size_is_thinned_evenly():
    base = np.linspace(0, 1, 10 * MOST)

    assert compare(base, base + 0.5).difference == pytest.approx(0.5, abs=1e-3)


def test_many_p_values_are_adjusted_together():
    assert benjamini_hochberg([0.01, 0.02, 0.03, 0.04]) == pytest.approx([0.04] * 4)
    assert benjamini_hochberg([]) == []


def test_pairs_that_did_not_change_are_covered_at_93_to_97_percent():
    chance = np.random.default_rng(3)
    base = chance.exponential(20, (1000, 20))
    pairs = zip(base, base + chance.normal(0, 2, base.shape), strict=True)

    found = [compare_pairs(one, other) for one, other in pairs]

    assert 0.93 <= np.mean([one.low <= 0 <= one.high for one in found]) <= 0.97


def test_values_that_belong_together_are_told_apart_where_two_samples_are_not():
    base = np.linspace(0, 17, 34)

    assert compare(base, base + 1.5).verdict == "not enough data"
    assert compare_pairs(base, base + 1.5).verdict == "slower"
    assert compare_pairs(base, base + 1.5).difference == pytest.approx(1.5)
    assert compare_pairs(base, base).verdict == "same"
    assert compare_pairs([], []).verdict == "not enough data"


def test_means_of_what_is_mostly_zero_are_covered_and_found():
    chance = np.random.default_rng(4)
    drawn = chance.exponential(60, (300, 2, 34)) * (chance.random((300, 2, 34)) < 0.3)

    found = [compare_means(base, head, seed=1) for base, head in drawn]
    planted = compare_means([0.0] * 34, [0.0] * 20 + [60.0] * 14, seed=1, floor=0.5)

    assert np.mean([one.low <= 0 <= one.high for one in found]) >= 0.93
    assert planted.verdict == "slower"
    assert planted.low <= 60 * 14 / 34 <= planted.high
    assert planted.p < 0.01
    assert compare_means([0.0] * 34, [0.0] * 34, seed=1).verdict == "same"


def test_resampling_with_one_seed_gives_one_answer():
    base, head = [0.0, 0, 0, 5, 9], [0.0, 0, 7, 8, 0]

    assert compare_means(base, head, seed=7) == compare_means(base, head, seed=7)
    assert compare_means(base, head, seed=7) != compare_means(base, head, seed=8)
