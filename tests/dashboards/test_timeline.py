from datetime import timedelta

import pytest

from dashboards.charts.timing import timing_figure
from dashboards.timeline import draw
from tests.factories import NINE, make_run, make_workflow
from tracking.models import WorkflowAttempt

pytestmark = pytest.mark.django_db


def drawn(run, seconds):
    attempts = {row.workflow_id: row for row in WorkflowAttempt.objects.filter(workflow__run=run).newest()}
    workflows = run.workflow_runs.order_by("position")
    return draw(workflows, attempts, start=run.started_at, now=NINE + timedelta(seconds=seconds))


def test_bars_lie_where_the_workflow_queued_and_ran():
    run = make_run()
    make_workflow(run, queue=25, execution=75)

    (line,) = drawn(run, 200).lines

    assert (line.queue_bar.left, line.queue_bar.width) == (0, 25)
    assert (line.execution_bar.left, line.execution_bar.width) == (25, 75)
    assert (line.queue, line.execution, line.total) == (25, 75, 100)


def test_what_waits_shows_how_long_so_far_and_has_no_times_yet():
    run = make_run()
    make_workflow(run, "", status="queued", queue=None)
    make_workflow(run, "", status="in_progress", queue=10)
    make_workflow(run, "", status="intended")

    waits, runs, planned = drawn(run, 48).lines

    assert (waits.state.word, waits.queue, waits.is_queueing, waits.execution) == ("queued", 48, True, None)
    assert (runs.state.word, runs.queue, runs.execution, runs.is_executing) == ("running", 10, 38, True)
    assert (planned.state.word, planned.queue, planned.queue_bar) == ("not sent yet", None, None)


def test_what_was_cancelled_before_it_ran_has_no_time():
    run = make_run()
    make_workflow(run, "cancelled", queue=None, execution=None)

    (line,) = drawn(run, 10).lines

    assert (line.state.word, line.queue, line.execution, line.total) == ("cancelled", None, None, None)


def test_a_word_of_tomorrow_is_an_error():
    run = make_run()
    make_workflow(run, "quantum_failure")

    (line,) = drawn(run, 10).lines

    assert (line.state.kind, line.state.sign, line.state.word) == ("error", "‼", "quantum failure")


@pytest.mark.parametrize(("seconds", "most"), [(3, 6), (100, 6), (7000, 6), (400_000, 6)])
def test_the_axis_has_a_few_round_clock_times(seconds, most):
    run = make_run()
    make_workflow(run, "", status="queued", queue=None)

    ticks = drawn(run, seconds).ticks

    assert 1 <= len(ticks) <= most
    assert all(0 <= tick.left < 100 for tick in ticks)


def test_the_figure_stacks_what_ran():
    run = make_run()
    make_workflow(run, queue=20, execution=30)
    make_workflow(run, "", status="queued", queue=None)

    queue, execution = timing_figure(drawn(run, 60).lines)["data"]

    assert (queue["x"], queue["y"]) == ([1], [20])
    assert execution["y"] == [30]
