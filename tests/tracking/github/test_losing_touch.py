"""GitHub does not answer, or does not know us any more: runs wait, say so, and go on."""

import pytest

from tests.github_double import Behaviour
from tests.github_double.server import TOKEN
from tests.tracking.github.github_run import final_rows, pass_time
from tracking.lifecycle import request_cancel

pytestmark = pytest.mark.django_db


def test_an_hour_of_silence_is_not_counted_and_following_goes_on(desk):
    desk.world.behaviour = lambda run: Behaviour(execution=300)
    service = desk.service()
    run = desk.begin(3, timeout=900)
    pass_time(desk, run, service, 60)

    desk.world.faults.down = True
    desk.hooks = False
    run = pass_time(desk, run, service, 3600, step=30)
    assert run.is_running
    assert run.events.filter(kind="waiting").count() == 1
    desk.world.faults.down = False
    run = desk.until_closed(run, service)

    assert run.status == "passed", run.reason
    assert {row[6:8] for row in final_rows(run)["attempts"]} == {(5, 300)}
    assert "answers again" in run.events.get(kind="answered").text


def test_a_token_that_ends_is_said_and_another_one_goes_on(desk):
    desk.world.behaviour = lambda run: Behaviour(execution=120)
    desk.hooks = False
    service = desk.service()
    run = desk.begin(3)
    pass_time(desk, run, service, 10)

    desk.server.tokens.clear()
    run = pass_time(desk, run, service, 300)
    assert "does not take the token" in run.events.get(kind="waiting").text
    desk.server.tokens.add("another")
    run = desk.until_closed(run, desk.service(token="another"))

    assert run.status == "passed", run.reason


def test_a_token_that_may_not_see_the_repository_is_not_taken_for_a_deleted_run(desk):
    desk.world.behaviour = lambda run: Behaviour(execution=200)
    desk.hooks = False
    service = desk.service()
    run = desk.begin(2)
    pass_time(desk, run, service, 10)

    desk.repo.full_name = "acme/hidden"
    run = pass_time(desk, run, service, 600)
    assert run.is_running
    desk.repo.full_name = "acme/shop"
    run = desk.until_closed(run, service)

    assert run.status == "passed", run.reason


def test_a_cancel_that_github_does_not_answer_is_asked_for_again(desk):
    desk.world.behaviour = lambda run: Behaviour(execution=3000)
    service = desk.service()
    run = desk.begin(3)
    pass_time(desk, run, service, 60)
    desk.world.faults.down = True
    request_cancel(run, by="ada", now=desk.now)

    run = pass_time(desk, run, service, 30)
    assert (run.is_running, run.events.filter(kind="waiting").count()) == (True, 1)
    desk.world.faults.down = False
    run = desk.until_closed(run, service)

    assert run.status == "cancelled"
    assert {row[1] for row in final_rows(run)["workflows"]} == {"cancelled"}


def test_no_token_is_shown_anywhere(desk, caplog):
    desk.server.tokens.clear()

    run = desk.until_closed(desk.begin(1, timeout=60), most=200)

    texts = " ".join(run.events.values_list("text", flat=True)) + run.reason + caplog.text
    assert TOKEN not in texts
