"""Every workflow is sent once, whatever breaks on the way."""

import pytest

from tests.github_double import Faults
from tests.tracking.github.github_run import Desk, final_rows

pytestmark = pytest.mark.django_db


def sent_once(desk, run, count=34):
    """Each row has its own run at GitHub, and GitHub has no other."""
    numbers = set(run.workflow_runs.values_list("github_run_id", flat=True))
    return len(numbers) == count and numbers == set(desk.world.runs)


def test_34_workflows_are_sent_followed_and_closed_with_few_calls(desk):
    run = desk.until_closed(desk.begin())

    assert run.status == "passed", run.reason
    assert sent_once(desk, run)
    assert run.workflow_runs.filter(visible_tag__startswith=run.test_run_id).count() == 34
    assert len(desk.server.calls()) <= 80
    assert run.api_calls == len(desk.server.calls())
    rows = final_rows(run)
    assert {row[6:8] for row in rows["attempts"]} == {(5, 20)}


def test_without_messages_the_lists_tell_all():
    desk = Desk(hooks=False)
    with desk.server:
        run = desk.until_closed(desk.begin())

    assert run.status == "passed", run.reason
    assert sent_once(desk, run)
    assert len(desk.server.calls()) <= 80
    assert desk.server.violations == []


@pytest.mark.parametrize(
    "fault",
    ["error_before", "error_after", "unavailable", "drop_before", "drop_after", "secondary", "too_many"],
)
def test_each_is_sent_once_through(desk, fault):
    setattr(desk.world.faults, fault, {1, 7, 34})

    run = desk.until_closed(desk.begin())

    assert run.status == "passed", run.reason
    assert sent_once(desk, run)


def test_each_is_sent_once_through_all_faults_at_once_and_lists_that_lag():
    faults = Faults(
        error_before={2, 20}, error_after={5, 21}, unavailable={8}, drop_before={11, 22}, drop_after={14, 23}
    )
    faults.secondary, faults.too_many, faults.list_lag = {17}, {19}, 60
    faults.lose, faults.double, faults.shuffle = 0.3, 0.3, True
    desk = Desk(faults=faults)
    with desk.server:
        run = desk.until_closed(desk.begin())

    assert run.status == "passed", run.reason
    assert sent_once(desk, run)
    assert desk.server.violations == []
