"""A track is begun for a worker, cancelled by anybody, and never left as if it went on."""

import socket
from datetime import timedelta

import pytest

from performance import tasks
from performance.management import tracks
from performance.management.tracks import Wishes, track_driver
from performance.models import Comparison, ComparisonRun, TrackRun
from performance.specification import FaultySpec
from performance.track import GoesOn, start_track
from performance.track_ends import BEGINS, FORGOTTEN, cancel_track, sweep_track, take_track
from performance.track_loads import load_of_target, steps_of
from performance.track_result import phases_of
from performance.trigger import NotAllowed, start_workload_run
from tests.factories import NINE, make_environment, make_project
from tests.performance.factories import make_component, make_workload

pytestmark = pytest.mark.django_db
DEAD = f"track@{socket.gethostname()}:999999:1"
PHASES = ["workload_setup", "metrics", "bottlenecks", "optimizations", "component_comparison"]
FIRST = {"name": "workload_setup", "status": "passed", "duration": 9.0, "tests": 5, "passed": 5, "failed": 0}


@pytest.fixture
def workload():
    return make_workload()


def begun(workload, *, driver="", **changes):
    track = start_track(workload, by="ada", now=NINE, driver=driver)
    TrackRun.objects.filter(pk=track.pk).update(**changes)
    track.refresh_from_db()
    return track


def half_done(workload, phase="metrics", **changes):
    summary = {"status": "passed", "duration": 9.0, "phases": [{**FIRST, "findings": ["It answers."]}]}
    return begun(workload, **{"driver": DEAD, "summary": summary, "progress": {"phase": phase}, **changes})


def test_a_track_waits_for_a_worker_with_all_its_phases(workload):
    track = start_track(workload, by="ada", now=NINE, rounds=4)

    assert (track.status, track.rounds, track.target, track.driver) == ("running", 4, workload.target, "")
    assert [(one["name"], one["status"]) for one in phases_of(track)] == [
        (name, "waiting") for name in PHASES
    ]


def test_two_tracks_of_one_workload_do_not_go_on_at_once(workload):
    begun(workload, driver=track_driver())

    with pytest.raises(GoesOn, match="goes on since"):
        start_track(workload, by="ben", now=NINE)

    assert start_track(make_workload("other"), by="ben", now=NINE).is_running


def test_a_dead_track_is_in_nobodys_way(workload):
    dead = half_done(workload)

    assert start_track(workload, by="ben", now=NINE).is_running

    dead.refresh_from_db()
    assert dead.status == "error"


@pytest.mark.parametrize(
    ("fields", "fault"),
    [({"target": "http://elsewhere.example"}, NotAllowed), ({"spec": {"requests": []}}, FaultySpec)],
)
def test_a_load_that_can_not_be_put_on_begins_no_track(workload, fields, fault):
    for name, value in fields.items():
        setattr(workload, name, value)

    with pytest.raises(fault):
        start_track(workload, by="ada", now=NINE)

    assert not TrackRun.objects.exists()


def test_what_a_killed_worker_left_is_closed_with_what_it_had_found(workload):
    track = half_done(workload)

    assert not sweep_track(track, now=NINE + timedelta(minutes=1))

    assert (track.status, track.completed_at, track.driver) == ("error", NINE + timedelta(minutes=1), "")
    assert "process that drove it was ended" in track.reason
    told = track.summary["phases"]
    assert [one["status"] for one in told] == ["passed", "error", "skipped", "skipped", "skipped"]
    assert told[0]["findings"] == ["It answers."]
    assert told[1]["findings"] == [track.reason]
    assert (track.summary["status"], track.summary["duration"]) == ("error", 60.0)


def test_its_comparison_ends_with_it_and_no_worker_goes_on_with_that(workload):
    one, two = (make_component(name, workload=workload) for name in ("one", "two"))
    comparison = Comparison.objects.create(workload=workload, rounds=2)
    comparison.components.set([one, two])
    turn = start_workload_run(workload, triggered_by="ada", now=NINE, component=one)
    ComparisonRun.objects.create(comparison=comparison, component=one, round=1, run=turn)
    progress = {"phase": "component_comparison", "comparison": str(comparison.pk)}

    sweep_track(half_done(workload, progress=progress), now=NINE)

    comparison.refresh_from_db()
    turn.run.refresh_from_db()
    assert comparison.status == "cancelled"
    assert turn.run.cancel_requested_at == NINE


@pytest.mark.parametrize("alive", ["here", "elsewhere"])
def test_a_track_that_is_driven_is_left_alone(workload, alive):
    track = begun(workload, driver={"here": track_driver(), "elsewhere": "track@elsewhere:1:1"}[alive])

    assert not sweep_track(track, now=NINE + timedelta(minutes=4))

    assert track.is_running


def test_a_lease_that_nobody_renewed_ends_the_track_of_another_machine(workload):
    track = begun(workload, driver="track@elsewhere:1:1")

    sweep_track(track, now=NINE + timedelta(minutes=6))

    assert track.status == "error"


def test_the_sweep_sends_a_track_again_until_it_is_forgotten(workload, monkeypatch):
    track = begun(workload)

    assert not sweep_track(track, now=NINE + BEGINS / 2)
    assert sweep_track(track, now=NINE + 2 * BEGINS)
    assert track.is_running
    assert not sweep_track(track, now=NINE + 2 * FORGOTTEN)
    assert (track.status, "No worker took it up" in track.reason) == ("error", True)


def test_the_sweep_closes_dead_tracks_and_has_waiting_ones_driven(workload, monkeypatch):
    sent = []
    monkeypatch.setattr(tasks, "send_track", sent.append)
    dead = half_done(workload)
    waiting = begun(make_workload("other"), started_at=tasks.timezone.now() - 2 * BEGINS)

    tasks.sweep_tracks()

    dead.refresh_from_db()
    assert (dead.status, sent) == ("error", [str(waiting.pk)])


def test_a_worker_begins_only_what_waits_for_one(workload, monkeypatch):
    apart = []
    monkeypatch.setattr(tasks, "drive_track_apart", apart.append)
    driven, waiting = begun(workload, driver=track_driver()), begun(make_workload("other"))

    assert [tasks.run_whole_track(str(one.pk)) for one in (driven, waiting)] == [False, True]
    assert apart == [str(waiting.pk)]


def test_only_one_process_drives_a_track(workload):
    track = begun(workload)

    assert take_track(track.pk, "track@a:1:1", now=NINE)
    assert take_track(track.pk, "track@a:1:1", now=NINE), "it renews its own lease"
    assert not take_track(track.pk, "track@b:1:1", now=NINE)


def test_a_track_without_a_driver_is_cancelled_at_once(workload):
    track = begun(workload)

    assert cancel_track(track, by="ben", now=NINE)
    assert not cancel_track(track, by="cleo", now=NINE)

    assert (track.status, track.reason) == ("cancelled", "Cancelled by ben.")
    assert {one["status"] for one in track.summary["phases"]} == {"skipped"}


def test_the_driver_hears_of_a_wish_in_the_database_and_of_one_of_its_own(workload):
    track = begun(workload, driver=track_driver())
    assert Wishes(track)() == ""

    assert cancel_track(track, by="ben", now=NINE)
    assert track.is_running, "its driver ends it"
    assert Wishes(track)() == "ben"

    other = begun(make_workload("other"), driver=track_driver())
    assert Wishes(other, ["the end of the server"])() == "the end of the server"
    other.refresh_from_db()
    assert other.cancelled_by == "the end of the server"


def test_a_driver_stops_when_somebody_closed_its_track(workload):
    track = begun(workload, driver=track_driver(), status="error")

    assert Wishes(track)() == "somebody who closed the track"


def test_a_track_whose_workload_is_gone_says_so(workload):
    track = begun(workload)
    TrackRun.objects.update(workload=None)

    tracks.drive_track_here(track.pk, heard=[])

    track.refresh_from_db()
    assert (track.status, track.reason) == ("error", "Its workload is gone.")


def test_a_driver_that_breaks_between_two_phases_leaves_nothing_running(workload, monkeypatch):
    def breaks(scene, **_):
        raise OSError("no database")

    monkeypatch.setattr(tracks, "run_track", breaks)
    track = begun(workload)

    with pytest.raises(OSError, match="no database"):
        tracks.drive_track_here(track.pk, heard=[])

    track.refresh_from_db()
    assert track.status == "error"


def test_a_target_without_a_workload_gets_one_with_its_steps():
    workload = make_workload()
    made = load_of_target(
        workload.project, workload.target, seconds=4, rate=10, generators=["open_loop"], now=NINE
    )

    assert made.spec["arrival"] == {"kind": "constant", "rate": 10}
    assert steps_of(made).spec["arrival"]["rates"] == [5, 10, 20]
    assert steps_of(workload) is None


def test_a_host_of_somebody_else_gets_no_workload():
    project = make_project("bare")
    make_environment("local", project=project)

    with pytest.raises(NotAllowed, match="has not named"):
        load_of_target(project, "http://127.0.0.1:1", seconds=4, rate=10, generators=["open_loop"], now=NINE)

    assert not project.workloads.exists()
