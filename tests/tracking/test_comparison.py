"""Two runs side by side: what got slower, and whether it was the queue or the work."""

import json

import numpy as np
import pytest
from django.core.management import call_command

from tests.factories import make_run, make_workflow
from tracking.comparison import compare_runs

pytestmark = pytest.mark.django_db


def run_of(queue, execution):
    run = make_run(status="passed")
    for position, (waited, worked) in enumerate(zip(queue, execution, strict=True), start=1):
        make_workflow(run, "success", queue=float(waited), execution=float(worked), position=position)
    return run


@pytest.fixture
def chance():
    return np.random.default_rng(20260104)


def some(chance, *, queue=20.0, execution=200.0, count=34):
    return run_of(
        chance.normal(queue, 4, count).clip(0.1).round(3), chance.normal(execution, 6, count).round(3)
    )


def test_a_minute_of_queueing_and_ten_percent_of_execution_are_found_and_told_apart(chance):
    base = some(chance)

    queued = compare_runs(base, some(chance, queue=80))
    worked = compare_runs(base, some(chance, execution=220))
    both = compare_runs(base, some(chance, queue=80, execution=220))

    assert (queued.parts["queue"].verdict, queued.parts["execution"].verdict) == ("slower", "same")
    assert queued.parts["queue"].low <= 60 <= queued.parts["queue"].high
    assert queued.share_of_queueing > 0.95
    assert (worked.parts["queue"].verdict, worked.parts["execution"].verdict) != ("slower", "slower")
    assert worked.parts["execution"].verdict == "slower"
    assert worked.parts["execution"].ratio == pytest.approx(1.1, abs=0.03)
    assert both.share_of_queueing == pytest.approx(0.75, abs=0.07)
    assert "queueing and execution" in both.sentence


def test_the_same_runs_give_the_same_answer_every_time(chance):
    base, head = some(chance), some(chance)

    assert compare_runs(base, head) == compare_runs(base, head)
    assert compare_runs(base, base).sentence == "The two took the same time."


def test_what_can_not_be_measured_is_null_with_a_reason(chance):
    found = compare_runs(some(chance, count=2), make_run(status="error"))

    assert found.sentence.startswith("There is nothing to compare")
    assert found.parts["setup"].difference is None
    assert found.parts["setup"].reason
    assert found.parts["queue"].verdict == "not enough data"


def test_what_else_was_different_is_named(chance):
    base, head = some(chance), some(chance, count=30)

    assert ("workflows", "34", "30") in compare_runs(base, head).differences


def test_the_command_tells_it_in_words_and_as_json(chance, capsys):
    base, head = some(chance), some(chance, queue=80)

    call_command("compare_runs", base.test_run_id, head.test_run_id)
    text = capsys.readouterr().out
    call_command("compare_runs", base.test_run_id, head.test_run_id, format="json")
    data = json.loads(capsys.readouterr().out)

    assert "The second is slower by" in text
    assert "is queueing" in text
    assert "95 % interval" in text
    assert data["times"]["queue"]["verdict"] == "slower"
    assert data["times"]["setup"]["reason"]
