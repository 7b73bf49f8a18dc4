"""Two runs side by side: what got slower, and whether it was the queue or the work."""

import json
from datetime import timedelta

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db.models import F

from tests.factories import make_run, make_workflow
from tracking.comparison import MOST_HEADS, compare_many, compare_runs
from tracking.models import WorkflowAttempt, WorkflowJob

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


def test_every_part_has_difference_ratio_interval_and_verdict_and_what_would_have_been_seen(chance):
    base, head = some(chance), some(chance)
    WorkflowJob.objects.filter(attempt__workflow__run=base).update(setup=3)
    WorkflowJob.objects.filter(attempt__workflow__run=head).update(setup=13)
    for workflow in head.workflow_runs.filter(position__lte=17):  # half of them needed a second attempt
        again(workflow, first=90)
    for workflow in head.workflow_runs.all():
        late = F("run_started_at") + timedelta(seconds=2 * workflow.position)
        WorkflowAttempt.objects.filter(workflow=workflow).update(run_started_at=late)

    found = compare_runs(base, head)

    parts = found.parts
    assert list(parts) == ["queue", "setup", "execution", "total", "retries", "lost_parallelism"]
    for part in parts.values():
        assert part.low <= part.difference <= part.high
        assert part.smallest >= 0
    told = {name: (part.difference, part.verdict) for name, part in parts.items()}
    assert told["setup"] == (10, "slower")
    assert parts["setup"].ratio == pytest.approx(13 / 3)
    assert told["retries"] == (45, "slower")
    assert told["lost_parallelism"] == (pytest.approx(35), "slower")
    assert found.could_see.startswith("At this noise,")


def again(workflow, *, first):
    """Let the workflow's attempt be its second; the first took `first` seconds."""
    workflow.attempts.update(number=2)
    workflow.attempt = 2
    workflow.save()
    ready = workflow.run.started_at
    WorkflowAttempt.objects.create(workflow=workflow, number=1, run_started_at=ready, execution=first)


def test_runs_are_ranked_by_their_total_time_against_the_base(chance):
    base, same, slow, fast = some(chance), some(chance), some(chance, queue=80), some(chance, execution=150)
    broken = make_run(status="error")

    found = compare_many(base, [slow, broken, same, fast])

    assert [(place.place, place.run) for place in found.ranking if place.place != 2] == [
        (1, fast),
        (4, slow),
        (None, broken),
    ]
    assert {place.run for place in found.ranking if place.place == 2} == {base, same}
    assert found.sentence.startswith("Of 4 runs against the base: 1 faster, ")


def test_the_more_is_looked_at_the_surer_a_difference_has_to_be():
    def run(shift):
        return run_of([1.0] * 8, [100 + 4 * number + shift for number in range(8)])

    base, hardly = run(0), run(17)
    alone = compare_many(base, [hardly]).found[0].parts["total"]
    among = compare_many(base, [hardly, *(run(0) for _ in range(9))]).found[0].parts["total"]

    assert alone.p == among.p < 0.05
    assert (alone.low, alone.high) == (among.low, among.high)
    assert (alone.verdict, among.verdict) == ("slower", "not enough data")


def test_too_many_runs_are_refused(chance):
    run = some(chance, count=4)

    with pytest.raises(ValueError, match=f"1 to {MOST_HEADS}"):
        compare_many(run, [run] * (MOST_HEADS + 1))
    with pytest.raises(CommandError, match=f"1 to {MOST_HEADS}"):
        call_command("compare_runs", run.test_run_id, *[run.test_run_id] * (MOST_HEADS + 1))


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
    assert "could see" in text


def test_the_command_ranks_several(chance, capsys):
    base, slow, fast = some(chance), some(chance, queue=80), some(chance, execution=150)
    names = [run.test_run_id for run in (base, slow, fast)]

    call_command("compare_runs", *names)
    text = capsys.readouterr().out
    call_command("compare_runs", *names, format="json")
    data = json.loads(capsys.readouterr().out)

    assert text.index(f"    1  {fast}") < text.index(f"    2  {base}") < text.index(f"    3  {slow}")
    assert [row["test_run_id"] for row in data["ranking"]] == [str(fast), str(base), str(slow)]
    assert (data["head"], [one["head"] for one in data["others"]]) == (str(slow), [str(fast)])
