"""What ran out while latency rose: the planted resource first, nobody where nothing is proved."""

import numpy as np
import pytest

from analysis.saturation import find_saturated
from tests.analysis.series import resembling, white

N = 60


def wandering(chance, noise):
    """A utilization that swings between idle and used up on its own."""
    return 1 / (1 + np.exp(-(1 + 1.5 * noise(chance, N))))


@pytest.mark.parametrize("r", [0.0, 0.5, 0.7])
def test_resources_that_wander_on_their_own_are_seldom_accused(r):
    chance, noise = np.random.default_rng(1), resembling(r) if r else white
    accused = 0
    for _ in range(200):
        latency = 0.02 * np.exp(0.6 * noise(chance, N))
        resources = {f"r{place}": wandering(chance, noise) for place in range(6)}
        accused += bool(find_saturated(latency, resources, {"queue": np.exp(noise(chance, N))}).accused)

    assert accused / 200 <= 0.08  # 5 % promised, for all resources together


def test_the_planted_resource_is_named_first_and_alone():
    chance = np.random.default_rng(2)
    right = 0
    for _ in range(100):
        begin = int(chance.integers(N // 4, 3 * N // 4))
        busy = np.arange(N) >= begin
        found = find_saturated(
            0.02 * np.exp(0.1 * chance.normal(size=N)) * np.where(busy, 3, 1),
            {
                "database": np.clip(0.5 + 0.03 * chance.normal(size=N) + 0.45 * busy, 0, 1),
                "cpu": np.clip(0.3 + 0.05 * chance.normal(size=N) + 0.2 * busy, 0, 1),
                "memory": np.full(N, 0.4),
                "disk": np.full(N, 0.97),
            },
        )
        right += [one.name for one in found.accused] == ["database"] and found.resources[0].name == "database"

    assert right >= 95


def test_the_evidence_is_in_numbers_and_words():
    load = np.repeat(np.arange(1, 11), 6) / 10
    latency = 0.01 / (1 - 0.95 * load)

    found = find_saturated(
        latency, {"cpu": 0.97 * load, "disk": 0.3 * load}, {"queue": 1 / (1 - 0.95 * load)}
    )

    cpu = next(one for one in found.resources if one.name == "cpu")
    disk = next(one for one in found.resources if one.name == "disk")
    assert {one.name for one in found.accused} == {"cpu", "queue"}
    assert cpu.correlation == pytest.approx(1, abs=0.01)
    assert cpu.full_when_slow > 0.8 > cpu.full_when_calm
    assert "of slow" in cpu.reason
    assert not disk.accused
    assert "cpu" in found.said
    assert found.rise > 3


def test_a_resource_that_runs_ahead_is_found_with_its_lead():
    busy = np.isin(np.arange(N), [*range(7, 12), *range(20, 31), *range(45, 48)])
    latency = 1.0 + 4 * np.roll(busy, 2) + 0.01 * np.random.default_rng(1).normal(size=N)

    (found,) = find_saturated(latency, {"cpu": 0.2 + 0.75 * busy}).accused

    assert found.lead == 2


@pytest.mark.parametrize(
    ("latency", "cpu", "said"),
    [
        (np.full(N, 0.02), np.full(N, 0.99), "did not rise"),
        (np.linspace(1, 5, N), np.full(N, 0.5), "no resource"),
        (np.linspace(1, 5, N), np.full(N, np.nan), "no resource"),
        (np.linspace(1, 5, 8), np.full(8, 1.0), "too few"),
        (np.linspace(0, 5, N), np.zeros(N), "no resource"),
        (np.zeros(N), np.zeros(N), "did not rise"),
    ],
)
def test_nothing_found_is_an_answer(latency, cpu, said):
    found = find_saturated(latency, {"cpu": cpu})

    assert found.accused == []
    assert said in found.said


def test_a_resource_that_is_always_full_or_does_not_move_with_latency_is_let_go():
    busy = np.arange(N) >= 30
    latency = np.where(busy, 3.0, 1.0)
    jumping = np.where(busy, np.where(np.arange(N) % 2, 0.3, 0.99), np.where(np.arange(N) % 2, 0.99, 0.3))

    always = find_saturated(latency, {"cpu": np.full(N, 0.96) + 0.01 * busy}).resources[0]
    other = find_saturated(latency, {}, {"queue": np.where(np.arange(N) % 2, 8.0, 2.0) + busy}).resources[0]
    loose = find_saturated(latency, {"cpu": jumping}).resources[0]

    assert "calm windows too" in always.reason
    assert not any(one.accused for one in (always, other, loose))


def test_windows_without_an_answer_and_gaps_in_a_series_are_left_out():
    busy = np.arange(N) >= 30
    latency, cpu = np.where(busy, 3.0, 1.0), np.where(busy, 0.97, 0.4)
    latency[::9], cpu[::7] = np.nan, np.nan

    (found,) = find_saturated(latency, {"cpu": cpu}).accused

    assert found.full_when_slow == 1


def test_series_must_be_aligned():
    with pytest.raises(ValueError, match="align"):
        find_saturated(np.ones(N), {"cpu": np.ones(3)})
