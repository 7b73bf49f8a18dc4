"""What follows from the end of a run: watching, confirming, and the next turn of what it belongs to."""

import numpy as np
import pytest

from performance.comparison import start_comparison
from performance.models import ChangePoint, WorkloadRun
from performance.optimization import record_optimization
from performance.proving import after_run
from performance.retrying import ask_again
from tests.factories import NINE
from tests.performance.measured import HOUR, a_component, a_run, a_workload
from tracking.plan import NotRunnable

pytestmark = pytest.mark.django_db
LAST = 28


@pytest.fixture
def workload():
    return a_workload()


@pytest.fixture
def asked():
    return []


@pytest.fixture
def start(asked):
    def begin(workload, *, metadata, component=None, **given):
        asked.append(metadata)
        return a_run(
            workload, None, status="running", component=component, metadata=metadata, number=90 + len(asked)
        )

    return begin


def doubtful(workload, **last):
    chance = np.random.default_rng(1)
    for place in range(LAST):
        level = (0.2 if place < 20 else 0.3) * float(np.exp(0.02 * chance.standard_normal()))
        run = a_run(workload, level, number=place, **(last if place == LAST - 1 else {}))
    return run


def follow(run, start, *, later=HOUR, may_confirm=True):
    run.refresh_from_db()
    return after_run(run, start=start, now=run.started_at + later, may_confirm=may_confirm)


def test_a_doubtful_change_is_confirmed_by_one_run_for_all_doubts(workload, start, asked):
    run = doubtful(workload)

    (made,) = follow(run, start)

    doubts = set(ChangePoint.objects.values_list("pk", flat=True))
    assert doubts
    assert set(asked[0]["confirms"]) <= doubts
    assert made.run.is_running
    assert "is made to look again" in run.run.events.get(kind="watched").text


@pytest.mark.parametrize("reason", ["it may not", "it is history", "another tool measured it"])
def test_no_load_is_put_on_anything_without_need(workload, start, asked, reason):
    run = doubtful(workload, **({"tool": "k6"} if reason == "another tool measured it" else {}))

    follow(
        run, start, later=48 * HOUR if reason == "it is history" else HOUR, may_confirm=reason != "it may not"
    )

    assert asked == []
    assert ChangePoint.objects.exists()


def test_a_run_is_looked_at_once(workload, start):
    run = doubtful(workload)
    assert list(WorkloadRun.objects.unwatched().filter(pk=run.pk)) == [run]

    follow(run, start)

    assert not WorkloadRun.objects.unwatched().filter(pk=run.pk).exists()


def test_a_run_that_measured_nothing_is_looked_at_and_watched_by_nobody(workload, start):
    run = a_run(workload, None, status="error")

    assert follow(run, start) == []
    assert not WorkloadRun.objects.unwatched().exists()


def test_a_host_that_may_not_be_loaded_any_more_is_said(workload):
    def refuse(*_, **__):
        raise NotRunnable("127.0.0.1 is none of the project's hosts")

    run = doubtful(workload)

    assert follow(run, refuse) == []
    assert "none of the project's hosts" in run.run.events.get(kind="watched").text


def test_the_end_of_a_turn_starts_the_next(workload, start, asked):
    one, two = a_component(workload, "one"), a_component(workload, "two")
    comparison = start_comparison(workload, [one, two], rounds=2, by="ada", now=NINE)
    ended = a_run(workload, metadata={"comparison": str(comparison.pk)}, component=one)

    (made,) = follow(ended, start)

    assert asked == [{"comparison": str(comparison.pk), "round": 1, "again": False}]
    assert follow(ended, start) == [], "one at a time"
    assert made.component in (one, two)


def test_a_run_that_names_what_belongs_to_another_workload_moves_nothing(workload, start, asked):
    """Whoever starts a run over the API chooses its metadata."""
    other = a_workload("theirs")
    theirs = start_comparison(
        other, [a_component(other, name) for name in ("a", "b")], rounds=2, by="ada", now=NINE
    )
    before = [a_run(other, 0.2, number=place) for place in range(4)]
    tried = record_optimization(other, "index", before=before[:2], after=before[2:], by="ada", now=NINE)
    ended = a_run(workload, metadata={"comparison": str(theirs.pk), "optimization": tried.pk})

    assert follow(ended, start) == []
    assert asked == []


@pytest.mark.parametrize("odd", ["no key", [], {}, None, -1, 10**30])
def test_metadata_of_any_shape_keeps_no_run_from_being_watched(workload, start, asked, odd):
    ended = a_run(workload, metadata={"comparison": odd, "optimization": odd})

    assert follow(ended, start) == []
    ended.refresh_from_db()
    assert ended.watched_at is not None


def test_a_comparison_whose_turns_can_not_be_started_has_failed(workload):
    def refuse(*_, **__):
        raise NotRunnable("the workload is archived")

    components = [a_component(workload, name) for name in ("one", "two")]
    comparison = start_comparison(workload, components, by="ada", now=NINE)
    ended = a_run(workload, metadata={"comparison": str(comparison.pk)})

    follow(ended, refuse)

    comparison.refresh_from_db()
    assert (comparison.status, comparison.reason) == ("failed", "the workload is archived")


def test_the_end_of_a_retry_starts_the_next_run_of_it(workload, start, asked):
    optimization = record_optimization(
        workload, "index", before=[a_run(workload)], after=[a_run(workload, number=1)], by="ada", now=NINE
    )
    ask_again(optimization, by="ada", now=NINE)
    ended = a_run(workload, number=2, metadata={"optimization": optimization.pk, "side": "after"})

    follow(ended, start)

    assert asked == [{"optimization": optimization.pk, "side": "after"}]
