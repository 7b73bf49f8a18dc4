"""One budget of calls for all workers: the same answers in one process and over Redis."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracking.ci.github.budget import Limits, ProcessBudget, SharedBudget


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_a_second_lies_between_two_writes(clock):
    budget = ProcessBudget(Limits(), clock)

    assert budget.wait("a", is_write=True) == 0
    assert budget.wait("a", is_write=True) == 1
    assert budget.wait("a", is_write=False) == 0
    assert budget.wait("b", is_write=True) == 0
    clock.now += 1
    assert budget.wait("a", is_write=True) == 0


@pytest.mark.parametrize(("seconds", "count"), [(60, 80), (3600, 500)])
def test_no_more_writes_than_a_minute_and_an_hour_take(clock, seconds, count):
    limits = Limits(pause=0, writes_per_minute=80, writes_per_hour=500, points_per_minute=10**9)
    budget = ProcessBudget(limits, clock)
    sent = []
    for _ in range(2000):
        while wait := budget.wait("a", is_write=True):
            clock.now += wait
        sent.append(clock.now)

    assert all(late - early >= seconds for early, late in zip(sent, sent[count:], strict=False))


def test_points_are_counted_by_the_minute(clock):
    budget = ProcessBudget(Limits(pause=0, points_per_minute=11), clock)

    assert [budget.wait("a", is_write=True) for _ in range(2)] == [0, 0]
    assert budget.wait("a", is_write=False) == 0
    assert budget.wait("a", is_write=False) == 60
    clock.now += 60
    assert budget.wait("a", is_write=False) == 0


def test_a_closed_way_is_closed_for_reads_too_and_never_for_less(clock):
    budget = ProcessBudget(Limits(), clock)

    budget.close("a", 90)
    budget.close("a", 5)

    assert budget.wait("a", is_write=False) == 90
    assert budget.wait("b", is_write=False) == 0


@settings(max_examples=40)
@given(steps=st.lists(st.tuples(st.floats(0, 90), st.booleans()), max_size=60))
def test_no_order_of_asking_gets_more_than_the_limits(steps):
    clock = Clock()
    limits = Limits(pause=1, writes_per_minute=5, writes_per_hour=12, points_per_minute=40)
    budget = ProcessBudget(limits, clock)
    writes, points = [], []
    for seconds, is_write in steps:
        clock.now += seconds
        if budget.wait("a", is_write=is_write) == 0:
            points.append((clock.now, 5 if is_write else 1))
            if is_write:
                writes.append(clock.now)

    for at in writes:
        for window, most in limits.rules():
            assert sum(at - window < one <= at for one in writes) <= most
    for at, _ in points:
        assert sum(cost for one, cost in points if at - 60 < one <= at) <= 40


@pytest.fixture
def name():
    return f"identity-{time.time_ns()}"


def test_two_workers_share_one_budget(name, settings):
    limits = Limits(pause=2, writes_per_minute=80)
    first, second = SharedBudget(settings.REDIS_URL, limits), SharedBudget(settings.REDIS_URL, limits)

    assert first.wait(name, is_write=True) == 0
    assert 1 < second.wait(name, is_write=True) <= 2
    assert second.wait(name, is_write=False) == 0
    first.close(name, 50)
    assert 49 < second.wait(name, is_write=False) <= 50


def test_the_shared_budget_counts_as_that_of_one_process(name, settings):
    limits = Limits(pause=0, writes_per_minute=3, points_per_minute=17)
    shared, alone = SharedBudget(settings.REDIS_URL, limits), ProcessBudget(limits)

    for is_write in (True, True, False, False, True, True, False, True, False):
        one, other = shared.wait(name, is_write=is_write), alone.wait(name, is_write=is_write)
        assert one == pytest.approx(other, abs=2)


def test_without_redis_each_process_keeps_to_the_limits_by_itself(name):
    budget = SharedBudget("unix:///nowhere/valkey.sock", Limits(pause=5))

    assert budget.wait(name, is_write=True) == 0
    assert 4 < budget.wait(name, is_write=True) <= 5
    budget.close(name, 60)
    assert 59 < budget.wait(name, is_write=False) <= 60
