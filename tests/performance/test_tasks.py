"""Workers take up workload runs, whichever door began them, and those that their driver left."""

import signal
import socket
import uuid
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.files.storage import storages
from django.core.management import call_command
from django.utils import timezone

from performance import tasks
from performance.drive import finish_left
from performance.generators.recording import Recorder
from performance.management.driving import place
from performance.management.subcommands import drive
from performance.models import WorkloadRun
from performance.samples import load_samples
from performance.trigger import adopt_run, start_workload_run
from tests.factories import make_definition, make_run
from tests.performance.factories import make_workload, make_workload_run
from tracking import tasks as all_runs
from tracking.models import TestRun
from tracking.tracker import start_run

pytestmark = pytest.mark.django_db
DEAD = f"workload@{socket.gethostname()}:999999:1"


@pytest.fixture
def apart(monkeypatch):
    """The runs that would have been given to a process of their own."""
    given = []
    monkeypatch.setattr(tasks, "drive_apart", given.append)
    return given


def begun(workload, *, driver="", load=False, ago=60):
    """A run that was begun a while ago; with `load`, its generator had written ten samples."""
    now = timezone.now()
    run = start_workload_run(workload, triggered_by="ada", now=now - timedelta(seconds=ago), driver=driver)
    if load:
        WorkloadRun.objects.filter(pk=run.pk).update(load_started_at=now - timedelta(seconds=ago))
        folder = place().of(run.run)
        folder.mkdir(parents=True)
        recorder = Recorder(folder, ["cart"])
        for number in range(10):
            recorder.add(number / 10, number / 10, 0.02, 0.02, 0, 200, 5, 0)
        recorder.close()
    return run


def test_a_run_that_another_door_began_gets_its_row_and_a_driver(apart):
    workload = make_workload(spec={"requests": [{}], "users": 2, "duration": 3})
    run = make_run(definition=workload.definition, plan={"kind": "workload", "steps": [], "test_type": "x"})

    assert tasks.run_workload(str(run.pk))

    adopted = WorkloadRun.objects.get()
    assert apart == [str(run.pk)]
    assert (adopted.workload, adopted.version, adopted.spec) == (workload, 1, workload.spec)
    run.refresh_from_db()
    assert run.plan["target"] == workload.target
    assert adopt_run(run) == adopted


def test_a_run_that_can_not_be_done_is_closed_with_the_reason(apart):
    foreign = make_workload(target="http://elsewhere.example")
    run = make_run(definition=foreign.definition)
    other = make_run(definition=make_definition("other"))

    assert not tasks.run_workload(str(run.pk))
    assert not tasks.run_workload(str(other.pk))

    assert "has not named" in TestRun.objects.get(pk=run.pk).reason
    assert "other is no workload" in TestRun.objects.get(pk=other.pk).reason
    assert apart == []


def test_a_run_that_is_driven_or_has_ended_is_left_alone(apart):
    workload = make_workload()
    begun(workload, driver="workload@elsewhere:1:1", ago=1)
    ended = make_workload_run(workload)

    assert [tasks.run_workload(str(run.pk)) for run in WorkloadRun.objects.all()] == [False, False]
    assert apart == []
    assert ended.run.status == "passed"


def test_a_run_that_nobody_drives_comes_here_from_the_sweep_of_all_runs(apart, monkeypatch):
    workload = make_workload()
    run = start_run(workload.definition, workload.environment, triggered_by="schedule", now=timezone.now())
    monkeypatch.setattr(tasks.run_workload, "apply_async", lambda words, *_, **__: tasks.run_workload(*words))
    monkeypatch.setattr(all_runs, "send", all_runs.drive_run)

    all_runs.sweep_runs()

    assert apart == [str(run.pk)]
    assert adopt_run(run).workload == workload


def test_a_run_whose_driver_never_began_gets_another_one_after_a_while(apart, settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    run = begun(make_workload())

    assert [tasks.run_workload(str(run.pk)) for _ in range(3)] == [True, False, False]
    cache.clear()
    assert tasks.run_workload(str(run.pk))

    assert apart == [str(run.pk)] * 2


@pytest.fixture
def signals():
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("signals")
def test_what_follows_from_a_load_is_asked_for_at_its_end(monkeypatch):
    done = []
    monkeypatch.setattr(drive, "drive_here", lambda run, **_: done.append(run))
    monkeypatch.setattr(tasks.follow_workload_runs, "delay", lambda: done.append("followed"))
    run = uuid.uuid4()

    call_command("workload", "drive", str(run))

    assert done == [run, "followed"]


def test_what_a_dead_driver_left_is_kept_and_closed_as_an_error():
    run = begun(make_workload(), driver=DEAD, load=True)

    assert tasks.run_workload(str(run.pk))
    assert not tasks.run_workload(str(run.pk))

    run.refresh_from_db()
    run.run.refresh_from_db()
    assert run.run.status == "error"
    assert run.requests == 10
    assert len(load_samples(run, storages["artifacts"]).rows) == 10
    assert not place().of(run.run).exists()


def test_what_another_machine_left_waits_for_that_machine_and_not_for_ever():
    run = begun(make_workload(), driver="workload@elsewhere:1:1", load=True, ago=120)
    folder = place().of(run.run)
    folder.rename(settings.DATA / f"elsewhere-{run.pk}")

    assert not tasks.run_workload(str(run.pk))
    TestRun.objects.filter(pk=run.pk).update(driver_until=timezone.now() - timedelta(hours=1))
    assert tasks.run_workload(str(run.pk))

    run.run.refresh_from_db()
    assert run.run.status == "error"
    assert run.samples == ""


def test_what_can_not_be_counted_does_not_come_back_for_ever():
    run = begun(make_workload(), driver=DEAD, load=True)
    (place().of(run.run) / "names.json").write_text("{}")

    assert tasks.run_workload(str(run.pk))

    run.run.refresh_from_db()
    assert run.run.status == "error"
    assert "can't be counted" in run.run.reason


def test_collecting_twice_is_collecting_once():
    run = begun(make_workload(), load=True)
    finish_left(run, place=place(), now=timezone.now())
    first = run.metrics.count()

    finish_left(WorkloadRun.objects.for_driving().get(pk=run.pk), place=place(), now=timezone.now())

    run.refresh_from_db()
    assert (run.requests, run.metrics.count()) == (10, first)
