"""Changes of level: seldom where there are none, found where there are, the same every time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.changepoints import FALSE_ALARMS, find_changes
from analysis.changevotes import cut_probability, normal_scores, student_votes
from analysis.confirmation import confirms
from tests.analysis.series import lognormal, resembling, white

KINDS = {"white": white, "resembling neighbors": resembling(0.5), "waves": resembling(0.7)}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cv", [0.05, 0.3])
def test_unchanged_series_show_a_change_at_most_at_the_promised_rate(kind, cv):
    chance = np.random.default_rng(20260102)
    series = [100 * lognormal(KINDS[kind](chance, 100), cv) for _ in range(200)]

    found = [find_changes(one) for one in series]

    # 200 series with the promised 3 % show up to 12 (99 %).
    assert sum(map(bool, found)) <= stats.binom.ppf(0.99, 200, FALSE_ALARMS)
    assert sum(change.is_alarm for changes in found for change in changes) <= 1


def test_the_promise_holds_by_the_hundred_points_of_a_long_series():
    chance = np.random.default_rng(3)

    found = [find_changes(100 * lognormal(resembling(0.3)(chance, 1000), 0.2)) for _ in range(15)]

    assert sum(map(len, found)) / 150 <= FALSE_ALARMS


# The best of the known detectors on these very series, Otava with w 50, p 0.001, 5 %: see benchmarks/.
@pytest.mark.parametrize(("cv", "step", "power"), [(0.05, 0.1, 0.9), (0.15, 0.25, 0.75), (0.3, 0.6, 0.8)])
def test_a_step_is_found_twelve_points_after_it(cv, step, power):
    chance = np.random.default_rng(11)
    hits = false = inside = 0
    for _ in range(200):
        series = 100 * lognormal(white(chance, 52), cv)
        series[40:] *= 1 + step
        found = find_changes(series)
        near = [change for change in found if abs(change.index - 40) <= 5]
        hits += bool(near)
        false += any(change.index < 35 for change in found)
        inside += any(change.earliest <= 40 <= change.latest for change in near)

    assert hits / 200 >= power
    assert false / 200 <= 0.06
    assert inside >= 0.93 * hits


def test_a_change_tells_where_how_big_and_who_saw_it():
    chance = np.random.default_rng(5)
    series = np.r_[chance.normal(100, 2, 40), chance.normal(130, 2, 30), chance.normal(110, 2, 30)]

    first, second = find_changes(series)

    assert (first.index, second.index) == (40, 70)
    assert (first.start, first.end, second.end) == (0, 70, 100)
    assert first.before == pytest.approx(np.median(series[:40]))
    assert first.ratio == pytest.approx(1.3, abs=0.02)
    assert second.difference == pytest.approx(-20, abs=2)
    assert first.votes == ("ranks", "student")
    assert first.is_alarm
    assert first.confidence > 0.999


def test_one_voter_makes_no_alarm():
    chance = np.random.default_rng(8)
    series = np.r_[lognormal(white(chance, 40), 0.15), 1.4 * lognormal(white(chance, 12), 0.15)]

    (change,) = find_changes(series)

    assert not change.is_alarm
    assert 1.1 < (change.before + change.after) / 2 < 1.3


@pytest.mark.parametrize(
    ("reruns", "answer"),
    [
        ([], None),
        ([1.4], None),
        ([1.4, 1.3], True),
        ([1.0, 1.1], False),
        ([1.4, 1.0], None),
        ([1.4, 1.0, 1.5], True),
        ([1.0, 1.5, 1.1], False),
        ([1.0, 1.5, 1.1, 1.5, 1.5], False),
    ],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_the_first_two_reruns_that_agree_decide(reruns, answer, sign):
    series = [sign * level for level in (*[1.0] * 20, *[1.4] * 20)]
    (change,) = find_changes(series)

    assert confirms(change, [sign * again for again in reruns]) is answer


def test_a_short_change_in_a_long_series_is_found_and_a_lasting_small_one_too():
    chance = np.random.default_rng(2)
    series = lognormal(white(chance, 2000), 0.1)
    series[700:720] *= 1.5
    series[1500:] *= 1.08

    found = [change.index for change in find_changes(series)]

    assert len(found) == 3
    assert np.abs(np.subtract(found, [700, 720, 1500])).max() <= 12


@pytest.mark.parametrize(("n", "gap", "most"), [(200, 12, 0.4), (400, 20, 0.95)])
def test_many_changes_in_a_row_do_not_hide_each_other(n, gap, most):
    chance = np.random.default_rng(0)
    hits = false = true = 0
    for _ in range(10):
        cuts = np.cumsum(chance.integers(gap, 2 * gap, n // gap))
        cuts = cuts[cuts <= n - gap]
        steps = chance.choice([-1, 1], len(cuts) + 1) * chance.uniform(0.2, 0.5, len(cuts) + 1)
        levels = np.cumsum(steps)[np.searchsorted(cuts, np.arange(n), side="right")]

        found = [change.index for change in find_changes(np.exp(levels + 0.05 * white(chance, n)))]

        near = np.abs(np.subtract.outer(cuts, found)) <= 3
        hits, true = hits + near.any(axis=1).sum(), true + len(cuts)
        false += (~near.any(axis=0)).sum()

    assert hits / true >= most
    assert false <= 0.05 * true


def test_one_wild_value_is_no_change_and_too_small_a_one_is_not_told():
    chance = np.random.default_rng(4)
    wild, small = chance.normal(100, 1, 60), chance.normal(100, 0.5, 60)
    wild[30] = 10_000
    small[30:] += 3

    assert find_changes(wild) == []
    assert find_changes(small) == []
    assert [change.index for change in find_changes(small, min_effect=0.02)] == [30]
    assert find_changes(small, min_effect=0.02, floor=5) == []


@pytest.mark.parametrize("values", [[], [1.0], [5.0] * 50, [1.0, 2.0] * 4])
def test_short_and_flat_series_have_no_changes(values):
    assert find_changes(values) == []


def test_a_step_of_equal_values_is_exact():
    (change,) = find_changes([0.0] * 12 + [7.0] * 12)

    assert (change.index, change.ratio, change.difference) == (12, None, 7.0)


@pytest.mark.parametrize(("values", "fewest"), [([1.0, float("nan")], 5), ([1.0] * 9, 2)])
def test_what_can_not_be_judged_is_refused(values, fewest):
    with pytest.raises(ValueError, match=r"3 points|finite"):
        find_changes(values, fewest=fewest)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 50), min_size=1, max_size=120), st.sampled_from([0.001, 3.0, 1e6]))
def test_the_unit_does_not_matter_and_levels_lie_between_neighbors(values, unit):
    found = find_changes(values)
    again = find_changes([unit * value for value in values])

    assert [change.index for change in again] == [change.index for change in found]
    assert find_changes(values) == found
    edges = [0, *(change.index for change in found), len(values)]
    assert [(change.start, change.end) for change in found] == list(zip(edges[:-2], edges[2:], strict=True))
    assert all(change.earliest <= change.index <= change.latest for change in found)


def test_scores_are_the_normal_quantiles_of_ranks():
    values = np.array([3.0, 1.0, 3.0, 9.0])

    expected = stats.norm.ppf(stats.rankdata(values) / 5)

    assert normal_scores(values) == pytest.approx(expected - expected.mean())


def test_deep_cuts_are_as_rare_as_in_fresh_noise():
    chance = np.random.default_rng(1)
    scores = np.array([normal_scores(one) for one in chance.normal(size=(3000, 60))])
    at = np.arange(5, 56)
    cuts = np.abs(np.cumsum(scores, axis=1)[:, 4:55]) / np.sqrt(
        at * (60 - at) / 60 * (scores**2).sum(1)[:, None] / 59
    )

    ps = np.array([cut_probability(float(depth), 60, 5) for depth in cuts.max(axis=1)])

    for share in (0.5, 0.1, 0.01):
        assert np.mean(ps <= share) == pytest.approx(share, rel=0.2, abs=0.004)
    assert cut_probability(4.0, 5000, 5) > cut_probability(4.0, 500, 5)
    assert 0 < cut_probability(9.0, 5000, 5) < 1e-9


def test_perfherders_rule_marks_the_step_it_was_made_for():
    chance = np.random.default_rng(0)
    series = np.r_[chance.normal(100, 1, 30), chance.normal(110, 1, 12)]

    (marked,) = student_votes(series)
    t = [_plain_t(series, index) for index in range(12, 31)]

    assert marked == 30
    assert int(np.argmax(t)) + 12 == marked
    assert student_votes(series[:23]) == []


def _plain_t(series, index):
    """Perfherder's t value, written as its page describes it."""
    back, fore = series[max(index - 24, 0) : index][::-1], series[index : index + 12]
    sides = []
    for side in (back, fore):
        weights = [(len(side) - i) / len(side) for i in range(len(side))]
        mean = sum(w * v for w, v in zip(weights, side, strict=True)) / sum(weights)
        sides.append((mean, sum((v - mean) ** 2 for v in side) / (len(side) - 1), len(side)))
    return abs(sides[0][0] - sides[1][0]) / np.sqrt(sum(s / n for _, s, n in sides))
