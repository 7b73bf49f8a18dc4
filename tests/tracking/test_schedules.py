"""Definitions that start by the clock: each tick once, and what was missed is said."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import timedelta
from threading import Barrier, Lock

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from tests.factories import make_definition, make_environment, make_project
from tests.tracking.fakes import NINE, after
from tracking import scheduling, tasks
from tracking.models import Schedule, TestRun

pytestmark = pytest.mark.django_db
COMMAND = {"command": ["true"]}


def make_schedule(cron="0 * * * *", *, now=NINE, **fields):
    schedule = Schedule.objects.create(
        **{
            "project": make_project(),
            "definition": make_definition(),
            "environment": make_environment(),
            "cron": cron,
            **fields,
        }
    )
    scheduling.set_next(schedule, now=now)
    return schedule


def test_a_tick_starts_one_run_and_moves_on():
    schedule = make_schedule()

    assert scheduling.start_due(now=after(3599)) == []
    (started,) = scheduling.start_due(now=after(3601))

    schedule.refresh_from_db()
    assert started.run == schedule.last_run == TestRun.objects.get()
    assert (started.run.triggered_by, started.run.workflow_runs.count()) == ("schedule", 34)
    assert (schedule.last_at, schedule.next_at) == (after(3600), after(7200))
    assert schedule.problem == ""


def test_two_schedulers_that_saw_the_same_tick_start_one_run():
    schedule = make_schedule()
    seen_by_another = Schedule.objects.for_list().get(pk=schedule.pk)

    scheduling.start_due(now=after(3601))

    assert scheduling._start(seen_by_another, after(3601), False) is None
    assert TestRun.objects.count() == 1


@pytest.mark.parametrize(("broken", "next_at"), [({"time_zone": "Europe/Atlantis"}, None), ({}, after(7200))])
def test_a_schedule_that_breaks_keeps_no_other_from_its_time(broken, next_at):
    faulty = make_schedule(definition=make_definition("beyond", steps=[{"start_after": 1e300, **COMMAND}]))
    Schedule.objects.filter(pk=faulty.pk).update(**broken)
    sound = make_schedule()

    told, started = scheduling.start_due(now=after(3601))

    faulty.refresh_from_db()
    assert (started.schedule, TestRun.objects.get()) == (sound, started.run)
    assert (told.run, faulty.next_at, faulty.last_at) == (None, next_at, after(3600))
    assert faulty.problem.startswith("It could not be started (")
    assert scheduling.start_due(now=after(3602)) == []


def test_what_was_missed_is_said_and_not_made_up_for():
    schedule = make_schedule()

    (told,) = scheduling.start_due(now=after(20 * 3600 + 1800))

    schedule.refresh_from_db()
    assert (told.run, TestRun.objects.count()) == (None, 0)
    assert schedule.problem == "Missed since 2026-01-04 10:00 UTC: no scheduler was running."
    assert schedule.next_at == after(21 * 3600)


def test_the_last_of_many_missed_ticks_is_run_while_it_is_fresh():
    schedule = make_schedule("*/5 * * * *")

    (told,) = scheduling.start_due(now=after(20 * 3600 + 60))

    schedule.refresh_from_db()
    assert TestRun.objects.get() == told.run
    assert schedule.last_at == after(20 * 3600)
    assert schedule.problem.startswith("Missed since 2026-01-04 09:05")
    scheduling.start_due(now=after(20 * 3600 + 301))
    schedule.refresh_from_db()
    assert schedule.problem == ""


def test_a_definition_that_cannot_run_says_so_and_waits_for_its_next_time():
    schedule = make_schedule(definition=make_definition("empty", steps=[]))

    (told,) = scheduling.start_due(now=after(3600))

    schedule.refresh_from_db()
    assert told.run is None
    assert "no steps" in schedule.problem
    assert schedule.next_at == after(7200)


def test_a_paused_schedule_starts_nothing():
    schedule = make_schedule(enabled=False)

    assert scheduling.start_due(now=schedule.next_at + timedelta(seconds=1)) == []


def test_a_process_that_dies_between_claim_and_start_leaves_the_tick(monkeypatch):
    schedule = make_schedule()
    monkeypatch.setattr(scheduling, "start_run", lambda *a, **k: (_ for _ in ()).throw(KeyboardInterrupt))

    with pytest.raises(KeyboardInterrupt):
        scheduling.start_due(now=after(3600))

    schedule.refresh_from_db()
    assert schedule.next_at == after(3600)


def test_the_task_starts_what_is_due_and_wakes_the_workers(monkeypatch):
    schedule = make_schedule("* * * * *", now=NINE)
    woken = []
    monkeypatch.setattr(tasks, "wake", woken.append)

    assert tasks.start_scheduled() == 1
    assert tasks.start_scheduled() == 0

    schedule.refresh_from_db()
    assert woken == [schedule.last_run_id]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("cron", "61 * * * *", "minute"),
        ("time_zone", "Mars/Olympus", "time zone"),
        ("time_zone", "/etc", "zone"),
    ],
)
def test_a_schedule_with_a_wrong_time_is_refused(field, value, said):
    schedule = Schedule(
        project=make_project(),
        definition=make_definition(),
        environment=make_environment(),
        **{"cron": "0 2 * * *", field: value},
    )

    with pytest.raises(ValidationError, match=said):
        schedule.full_clean()


def test_a_schedule_joins_rows_of_one_project():
    other = make_environment(project=make_project("other"))
    schedule = Schedule(
        project=make_project(), definition=make_definition(), environment=other, cron="0 2 * * *"
    )

    with pytest.raises(ValidationError, match="another project"):
        schedule.full_clean()


@pytest.mark.django_db(transaction=True)
def test_schedulers_that_look_at_the_same_moment_start_one_run_for_each_tick():
    for number in range(3):
        make_schedule(definition=make_definition(f"nightly-{number}"))
    ready = Barrier(4)
    # Connections to SQLite in memory share one table lock, and do not wait for it.
    turns = Lock() if connection.vendor == "sqlite" else nullcontext()

    def look(_):
        try:
            ready.wait(timeout=10)
            with turns:
                return len(scheduling.start_due(now=after(3601)))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as schedulers:
        begun = list(schedulers.map(look, range(4)))

    assert sum(begun) == TestRun.objects.count() == 3
