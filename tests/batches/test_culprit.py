"""The search for the edit to blame."""

import random

import pytest

from batches.culprit import find_culprit


@pytest.mark.parametrize("culprit", [1, 3, 5])
def test_a_culprit_among_steady_tests_is_found(culprit):
    verdict = find_culprit(5, lambda state: state >= culprit)

    assert (verdict.edit, verdict.is_sure) == (culprit, True)
    assert verdict.reruns <= 8


def test_a_batch_that_is_merely_flaky_is_cleared():
    verdict = find_culprit(5, lambda state: False)

    assert verdict.edit is None
    assert verdict.cleared >= 0.99


@pytest.mark.parametrize(("rate", "least"), [(0.05, 0.97), (0.2, 0.95)])
def test_flaky_tests_seldom_hide_a_culprit(rate, least):
    chance = random.Random(1)
    planted = [chance.randint(1, 5) for _ in range(200)]

    def search(culprit):
        return find_culprit(5, lambda state: state >= culprit or chance.random() < rate).edit

    assert sum(search(culprit) == culprit for culprit in planted) >= least * 200


def test_without_edits_there_is_nobody_to_blame():
    with pytest.raises(ValueError, match="without edits"):
        find_culprit(0, lambda state: True)
