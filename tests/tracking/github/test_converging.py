"""Messages lost, doubled and out of order, and lists: the same rows in the end, with few calls."""

import os
import random
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.github_double import Behaviour, Faults
from tests.tracking.github.github_run import Desk, final_rows
from tracking.models import TestRun, WebhookDelivery

pytestmark = pytest.mark.django_db

WAYS = [
    Behaviour(),
    Behaviour(queue=0, execution=3, jobs=("lint", "test", "pack")),
    Behaviour(queue=12, execution=8, conclusion="failure"),
    Behaviour(queue=4, execution=6, waits=9),
]


def played(order: random.Random | None, *, lose: float = 0, double: float = 0) -> dict:
    """A run of six workflows, two of them run again, whose messages come in an order of their own."""
    desk = Desk(faults=Faults(lose=lose, double=double))
    state = order.getstate() if order else None
    if order:
        desk.world.faults.chance = order
    desk.world.behaviour = lambda run: WAYS[run.id % len(WAYS)]
    with desk.server:
        service = desk.service()
        run = desk.look(desk.begin(6), service)
        desk.world.advance(30)
        for found in sorted(desk.world.runs.values(), key=lambda one: one.id)[:2]:
            desk.world.rerun(found, only_failed=found.id % 2 == 0)
        desk.world.advance(40)
        messages = desk.world.messages
        if order:
            order.shuffle(messages)
        desk.deliver()
        run = desk.until_closed(TestRun.objects.get(pk=run.pk), service)
        rows = final_rows(run)
    assert desk.server.violations == []
    TestRun.objects.all().delete()
    WebhookDelivery.objects.all().delete()
    if desk.slept:  # a busy machine refused a connection; the client tried again, which moved the clock
        if order:
            order.setstate(state)
        return played(order, lose=lose, double=double)
    return rows


@cache
def in_order() -> dict:
    return played(None)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 2**32), lose=st.sampled_from([0, 0.3, 1]), double=st.sampled_from([0, 0.3]))
def test_any_order_of_any_part_of_the_messages_ends_in_the_same_rows(seed, lose, double):
    assert played(random.Random(seed), lose=lose, double=double) == in_order()


@pytest.mark.timeout(600)
def test_many_workflows_through_all_faults_at_once_take_at_most_2_2_calls_each():
    count = int(os.environ.get("CONVERGING", 300))  # 1,000 by hand: a minute and a half
    faults = Faults(list_lag=60, lose=0.3, double=0.3, shuffle=True)
    some = random.Random(7)
    before, after = ("error_before", "unavailable", "drop_before"), ("error_after", "drop_after")
    for kind in (*before, *after, "secondary", "too_many"):
        setattr(faults, kind, set(some.sample(range(1, count), count // 200 + 1)))
    desk = Desk(faults=faults)
    desk.world.behaviour = lambda run: Behaviour(queue=run.id % 50, execution=20 + run.id % 90)
    with desk.server:
        run = desk.until_closed(desk.begin(count, timeout=7200), step=20)

    assert run.status == "passed", run.reason
    numbers = set(run.workflow_runs.values_list("github_run_id", flat=True))
    assert (len(numbers), numbers) == (count, set(desk.world.runs))
    assert len(desk.server.calls()) <= 2.2 * count
    assert desk.server.violations == []
    truth = {one.id: (one.id % 50, 20 + one.id % 90) for one in desk.world.runs.values()}
    timed = run.workflow_runs.values_list("github_run_id", "attempts__queue", "attempts__execution")
    assert {number: (queue, execution) for number, queue, execution in timed} == truth
