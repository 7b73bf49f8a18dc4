"""The search for the edit to blame."""

import random

import pytest

from batches.culprit import find_culprit, find_culprits


@pytest.mark.parametrize("culprit", [1, 3, 5])
def test_a_culprit_among_steady_tests_is_found(culprit):
    verdict = find_culprit(5, lambda state: state >= culprit)

    assert (verdict.edit, verdict.is_sure) == (culprit, True)
    assert verdict.reruns <= 8


def test_a_batch_that_is_merely_flaky_is_cleared():
    verdict = find_culprit(5, lambda state: False)

    assert verdict.edit is None
    assert verdict.cleared >= 0.99


def test_what_was_broken_before_the_batch_is_no_edits_fault_and_no_flake():
    verdict = find_culprit(5, lambda state: True)

    assert verdict.edit is None
    assert verdict.was_before


def test_edits_that_broke_different_tests_are_found_by_the_same_reruns():
    broken = {"one": 2, "two": 4, "three": 4}
    reruns = []

    def failing_at(state, names):
        reruns.append(state)
        return [name for name in names if name in broken and state >= broken[name]]

    found = find_culprits(5, [*broken, "flaky"], failing_at)

    assert {name: verdict.edit for name, verdict in found.items()} == {**broken, "flaky": None}
    assert found["flaky"].is_sure
    assert len(reruns) <= 12


def test_a_test_that_never_failed_before_needs_fewer_reruns():
    def reruns(history):
        return find_culprit(5, lambda state: state >= 3, history=history).reruns

    assert reruns((64, 0)) < reruns((0, 0)) <= reruns((20, 6))


@pytest.mark.parametrize(
    ("rate", "found_least", "cleared_least", "reruns_most"), [(0.05, 0.98, 0.98, 8), (0.2, 0.96, 0.96, 9)]
)
def test_flaky_tests_seldom_hide_a_culprit_and_seldom_get_somebody_blamed(
    rate, found_least, cleared_least, reruns_most
):
    chance = random.Random(1)

    def search(culprit):
        return find_culprit(5, lambda state: (culprit and state >= culprit) or chance.random() < rate)

    planted = [(culprit, search(culprit)) for culprit in (chance.randint(1, 5) for _ in range(150))]
    innocent = [search(0) for _ in range(150)]

    assert sum(verdict.edit == culprit for culprit, verdict in planted) >= found_least * 150
    assert sum(verdict.is_sure and verdict.edit is None for verdict in innocent) >= cleared_least * 150
    assert sum(verdict.reruns for _, verdict in planted) <= reruns_most * 150


def test_without_edits_there_is_nobody_to_blame():
    with pytest.raises(ValueError, match="without edits"):
        find_culprit(0, lambda state: True)
