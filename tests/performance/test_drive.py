"""A run from its start to its end, and every way to break it off; whatever was measured is kept."""

import fcntl
import json
import os
import signal
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
from django.core.files.storage import storages

from performance.drive import Place, drive_workload_run
from performance.models import TargetHost, WorkloadRun
from performance.samples import load_samples
from performance.trigger import start_workload_run
from tests.performance.factories import make_component, make_workload
from tracking.drive import driver_name
from tracking.lifecycle import request_cancel

pytestmark = pytest.mark.django_db
OPEN_LOOP = "performance.generators.open_loop"
LONG = {"requests": [{"path": "/echo"}], "arrival": {"kind": "constant", "rate": 50}, "duration": 60}
SHORT = {**LONG, "duration": 0.5}


def now():
    return datetime.now(UTC)


@dataclass
class Driven:
    """A place to drive in, and what can be done to a generator meanwhile."""

    folder: Path

    def run(self, workload, *, then=None, **fields):
        """Drive a run of `workload`; `then(run, generator)` is called once, when some requests have ended."""
        started = start_workload_run(workload, triggered_by="ada", now=now(), **fields)
        place = Place(self.folder, storages["artifacts"])
        waiting = [then] if then else []

        def say(progress):
            if waiting and progress["requests"] > 10:
                (generator,) = (one for one in psutil.Process().children() if OPEN_LOOP in one.cmdline())
                waiting.pop()(started, generator)

        drive_workload_run(
            started, generator=OPEN_LOOP, place=place, driver=driver_name("test"), clock=now, say=say
        )
        assert not waiting
        return WorkloadRun.objects.for_driving().get(pk=started.pk)


@pytest.fixture
def driven(tmp_path):
    return Driven(tmp_path / "workloads")


def demand_kept(run):
    """What was measured by then is counted, and every sample can be read; nothing is left behind."""
    samples = load_samples(run, storages["artifacts"])
    assert run.requests == samples.measured.sum() > 10
    assert run.metrics.get(name="latency", request="").n == samples.timed.sum()
    assert run.stopped_early
    assert not [one for one in psutil.Process().children() if OPEN_LOOP in one.cmdline()]


def test_a_run_measures_and_passes_and_leaves_only_its_samples(driven, target):
    workload = make_workload(spec=SHORT, target=target.url)

    run = driven.run(workload, commit_sha="a" * 40)

    assert (run.run.status, run.requests, run.errors) == ("passed", 25, 0)
    assert run.metrics.get(name="component_share:db").value > 0
    assert run.run.metric_series.get(name="throughput").n >= 1
    assert run.load_started_at >= run.started_at
    assert run.run.driver == ""
    assert list(driven.folder.glob("*/")) == []


def test_a_generator_that_is_killed_ends_its_run_as_an_error(driven, target):
    workload = make_workload(spec=LONG, target=target.url)

    run = driven.run(workload, then=lambda _, generator: os.kill(generator.pid, signal.SIGKILL))

    assert run.run.status == "error"
    assert "signal 9" in run.run.reason
    demand_kept(run)


def test_a_target_that_dies_ends_the_run_as_an_error(driven, mortal_target):
    workload = make_workload(spec=LONG, target=mortal_target.url)

    run = driven.run(workload, then=lambda *_: mortal_target.kill())

    assert run.run.status == "error"
    assert "can't be reached any more" in run.run.reason
    demand_kept(run)


def test_a_cancelled_run_ends_at_once_and_keeps_what_it_has(driven, target):
    workload = make_workload(spec=LONG, target=target.url)

    run = driven.run(workload, then=lambda started, _: request_cancel(started.run, by="bob", now=now()))

    assert run.run.status == "cancelled"
    assert "bob" in run.run.reason
    assert run.run.duration.total_seconds() < 30
    demand_kept(run)


def test_a_run_that_was_cancelled_before_it_began_sends_nothing(driven, target):
    started = start_workload_run(make_workload(spec=SHORT, target=target.url), triggered_by="ada", now=now())
    request_cancel(started.run, by="bob", now=now())
    place = Place(driven.folder, storages["artifacts"])

    run = drive_workload_run(started, generator=OPEN_LOOP, place=place, driver="me", clock=now)

    assert run.status == "cancelled"
    assert not any(driven.folder.glob("*/plan.json"))


def test_two_loads_on_one_machine_take_turns(driven, target):
    """Beside each other they would measure each other."""
    driven.folder.mkdir()
    started = start_workload_run(make_workload(spec=SHORT, target=target.url), triggered_by="ada", now=now())
    place, waited = Place(driven.folder, storages["artifacts"]), []
    with (driven.folder / "one-load.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)

        def stop():
            waited.append(1)
            if len(waited) == 5:
                fcntl.flock(other, fcntl.LOCK_UN)
            return ""

        run = drive_workload_run(started, generator=OPEN_LOOP, place=place, driver="me", clock=now, stop=stop)

    assert run.status == "passed"
    assert run.events.filter(kind="waits").count() == 1


def test_a_target_on_its_knees_is_left_alone(driven, target):
    spec = {**LONG, "requests": [{"path": "/broken"}], "abort": {"error_share": 0.5, "after": 0}}

    run = driven.run(make_workload(spec=spec, target=target.url))

    assert run.run.status == "failed"
    assert "100% of the requests of the last 3 s were errors" in run.run.reason
    demand_kept(run)


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        ({"p50": 0.000001}, "half of the requests took up to"),
        ({"throughput": 1000}, "the limit is 1000 1/s"),
        ({"error_share": 1.0}, ""),
    ],
)
def test_a_run_that_misses_a_limit_fails(driven, target, limits, why):
    run = driven.run(make_workload(spec={**SHORT, "limits": limits}, target=target.url))

    assert run.run.status == ("failed" if why else "passed")
    assert why in run.run.reason


def test_nothing_is_sent_where_nobody_listens(driven):
    run = driven.run(make_workload(spec=SHORT, target="http://127.0.0.1:9"))

    assert run.run.status == "error"
    assert "can't be reached" in run.run.reason
    assert run.samples == ""


def test_a_host_that_is_taken_back_after_the_start_gets_no_load(driven, target):
    workload = make_workload(spec=SHORT, target=target.url)
    started = start_workload_run(workload, triggered_by="ada", now=now())
    TargetHost.objects.all().delete()
    place = Place(driven.folder, storages["artifacts"])

    run = drive_workload_run(started, generator=OPEN_LOOP, place=place, driver="me", clock=now)

    assert run.status == "error"
    assert "has not named" in run.reason
    assert not any(driven.folder.glob("*/plan.json"))


def test_what_was_changed_after_the_start_changes_no_run(driven, target):
    workload = make_workload(spec=SHORT, target=target.url)
    started = start_workload_run(workload, triggered_by="ada", now=now())
    make_workload(spec={**SHORT, "requests": [{"path": "/broken"}]}, target="http://127.0.0.1:9")
    place = Place(driven.folder, storages["artifacts"])

    run = drive_workload_run(started, generator=OPEN_LOOP, place=place, driver="me", clock=now)

    assert run.status == "passed"
    assert started.version == 1


def test_no_secret_stands_in_an_argument_a_variable_or_a_file(driven, target):
    spec = {**LONG, "auth": {"kind": "bearer", "secret": "token"}}
    workload = make_workload(spec=spec, target=target.url, secrets={"token": "s3cr3t-value"})
    make_component("two", workload=workload, headers={"X-Which": "two"})
    seen = {}

    def look(started, generator):
        folder = driven.folder / started.run.test_run_id
        seen["told"] = " ".join([*generator.cmdline(), *generator.environ().values()])
        seen["files"] = b"".join(file.read_bytes() for file in folder.iterdir())
        seen["mode"] = (folder / "plan.json").stat().st_mode & 0o777
        seen["plan"] = json.loads((folder / "plan.json").read_text())
        os.kill(generator.pid, signal.SIGTERM)

    run = driven.run(workload, component=workload.components.get(), then=look)

    assert run.run.status == "error"  # nobody had asked for its end
    assert seen["mode"] == 0o600
    assert seen["plan"]["headers"] == {"X-Which": "two"}
    assert "s3cr3t-value" not in seen["told"]
    assert b"s3cr3t-value" not in seen["files"]
    assert "s3cr3t-value" not in json.dumps(run.run.plan) + json.dumps(run.spec)
