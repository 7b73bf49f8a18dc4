"""No room for what a load measures: a clear end at once, what was measured is kept, nothing half stored."""

import contextlib
import resource
import time

import numpy as np
import psutil
import pytest
from django.core.files.storage import FileSystemStorage, storages

from performance.drive import Place, drive_workload_run
from performance.generators.base import NO_ROOM, End, end_with
from performance.generators.recording import Recorder
from performance.models import WorkloadRun
from performance.samples import SAMPLE, load_samples, read_folder
from performance.trigger import start_workload_run
from tests.performance.factories import make_workload
from tests.performance.test_drive import LONG, OPEN_LOOP, SHORT, now
from tracking.drive import driver_name

MORE = 3 * SAMPLE.itemsize + 5  # bytes: three samples and a bit of the next
LEAST = 2048  # bytes, in which the generator can still say how it ended
TOLD = "What was measured could not be written any more: "


@contextlib.contextmanager
def no_file_beyond(size):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def take_room_away(process, folder):
    """No file of a generator may grow beyond a few more samples."""
    size = max((folder / "samples.bin").stat().st_size, LEAST) + MORE
    resource.prlimit(process, resource.RLIMIT_FSIZE, (size, size))


class LittleRoom(FileSystemStorage):
    """A disk on which no file may have more than a hundred bytes."""

    def _save(self, name, content):
        with no_file_beyond(100):
            return super()._save(name, content)


def drive(workload, folder, *, storage=None, say=None):
    started = start_workload_run(workload, triggered_by="ada", now=now())
    place = Place(folder, storage or storages["artifacts"])
    told = (lambda _: say(started)) if say else None
    drive_workload_run(
        started, generator=OPEN_LOOP, place=place, driver=driver_name("test"), clock=now, say=told
    )
    return WorkloadRun.objects.for_driving().get(pk=started.pk)


def test_a_recorder_writes_nothing_after_half_a_sample(tmp_path):
    recorder = Recorder(tmp_path, ["cart"])
    with no_file_beyond(2 * MORE):
        for number in range(20):
            recorder.add_part("db", 0.01)
            recorder.add(number, number, 0.02, 0.02, 0, 200, 5, 0)
        recorder.flush()
    assert TOLD in recorder.problem

    recorder.add(99, 99, 0.02, 0.02, 0, 200, 5, 0)
    recorder.close()

    samples = read_folder(tmp_path)
    assert samples.rows["intended"].tolist() == list(range(len(samples.rows)))
    assert 0 < len(samples.rows) < 20
    assert set(samples.parts["sample"]) <= set(range(len(samples.rows)))


def test_a_generator_that_can_not_even_say_so_ends_with_a_code_of_its_own(tmp_path, capsys):
    with no_file_beyond(10):
        assert end_with(tmp_path, End("done")) == NO_ROOM

    assert "Make room on the disk" in capsys.readouterr().err
    assert not (tmp_path / "end.json").exists()


@pytest.mark.parametrize("module", ["open_loop", "locust"])
def test_a_generator_without_room_ends_its_load_at_once(put_load, target, module):
    load = put_load(target.url, {**LONG, "duration": 600}, module=f"performance.generators.{module}")
    samples = load.folder / "samples.bin"
    until = time.monotonic() + 60
    while not (samples.exists() and samples.stat().st_size) and time.monotonic() < until:
        time.sleep(0.05)

    take_room_away(load.process.pid, load.folder)
    kept, end = load.wait()

    assert (end["reason"], TOLD in end["text"]) == ("error", True)
    assert len(kept.rows) > 0
    assert np.isin(kept.rows["status"], [200]).all(), "half a record was read as one"


@pytest.mark.django_db
def test_a_load_without_room_ends_as_an_error_with_what_was_measured(tmp_path, target):
    def say(run):
        (generator,) = (one for one in psutil.Process().children() if OPEN_LOOP in one.cmdline())
        take_room_away(generator.pid, tmp_path / run.run.test_run_id)

    run = drive(make_workload(spec=LONG, target=target.url), tmp_path, say=say)

    assert run.run.status == "error"
    assert TOLD in run.run.reason
    assert run.requests == load_samples(run, storages["artifacts"]).measured.sum() > 10
    assert run.metrics.get(name="latency", request="").n == run.requests


@pytest.mark.django_db
def test_a_storage_without_room_keeps_the_figures_and_no_half_file(tmp_path, target):
    storage = LittleRoom(tmp_path / "artifacts")

    run = drive(make_workload(spec=SHORT, target=target.url), tmp_path / "loads", storage=storage)

    assert run.run.status == "error"
    assert "samples could not be stored: File too large. The figures" in run.run.reason
    assert (run.samples, run.samples_bytes, run.requests) == ("", 0, 25)
    assert run.metrics.get(name="latency", request="").p50 > 0
    assert [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "one-load.lock"] == []


@pytest.mark.django_db
def test_a_load_that_can_not_even_begin_sends_nothing_and_says_why(tmp_path, target):
    workload = make_workload(spec=SHORT, target=target.url)
    started = start_workload_run(workload, triggered_by="ada", now=now())
    (tmp_path / started.run.test_run_id).write_text("a file where its folder should be")

    run = drive_workload_run(
        started,
        generator=OPEN_LOOP,
        place=Place(tmp_path, storages["artifacts"]),
        driver=driver_name("test"),
        clock=now,
    )

    assert (run.status, run.reason) == (
        "error",
        f"Nothing was sent. {tmp_path} can't be written: File exists.",
    )
