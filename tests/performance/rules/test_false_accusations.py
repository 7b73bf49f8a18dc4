"""How often the rules accuse a healthy target, on machines that halt, jitter and are full of other work."""

import dataclasses

import numpy as np
import pytest

from performance.findings import find_bottlenecks
from tests.performance.rules.made_up import halted, measured, series

RUNS = 200
PROMISED = 0.01  # of healthy runs in which something is named


def healthy(seed):
    chance = np.random.default_rng(seed + 1000)
    shape = {"rates": (50,), "seconds": 12.0} if seed % 2 else {}
    run = measured(seed=seed, tells=seed % 3 > 0, **shape)
    # A busy machine: all is slower by a factor that wanders, and now and then it halts.
    wander = np.exp(np.cumsum(chance.normal(0, 0.02, run.n)))
    run = dataclasses.replace(
        run, latency=run.latency * wander, parts={name: times * wander for name, times in run.parts.items()}
    )
    moments = [(chance.random() * 15, chance.exponential(0.15)) for _ in range(chance.poisson(2))]
    others = series("CPU", lambda times: np.clip(chance.normal(0.8, 0.3, len(times)), 0, 1), full=0.95)
    own = series(
        "CPU of the target", lambda times: chance.gamma(2, 0.08, len(times)), unit="cores", full=0.85
    )
    memory = series(
        "memory of the target", lambda t: 5e7 + np.cumsum(chance.exponential(5e4, len(t))), unit="bytes"
    )
    return dataclasses.replace(halted(run, moments), series=(others, own, memory))


def test_a_healthy_target_is_hardly_ever_accused():
    accused = {seed: found for seed in range(RUNS) if (found := find_bottlenecks(healthy(seed)))}

    assert len(accused) <= PROMISED * RUNS, [(seed, found[0].text) for seed, found in accused.items()]


def test_a_target_that_tells_its_times_more_often_as_it_goes_does_not_leak():
    run = measured(rates=(100,), seconds=20.0, add={"database": 0.05})
    chance = np.random.default_rng(1)
    told = chance.random(run.n) < np.where(run.intended < 10, 0.4, 0.95)
    run = dataclasses.replace(run, parts={name: times * told for name, times in run.parts.items()})

    assert [one for one in find_bottlenecks(run) if one.kind == "leak"] == []


@pytest.mark.parametrize("seed", range(5))
def test_on_the_same_machine_a_slow_part_is_found(seed):
    run = healthy(seed * 3 + 1)
    slow = dataclasses.replace(
        run,
        latency=run.latency + 0.06,
        parts={name: times + 0.06 * (name in {"database", "total"}) for name, times in run.parts.items()},
    )

    assert find_bottlenecks(slow)[0].name == "database"
