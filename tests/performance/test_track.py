"""All phases in order: what each tells, and that none stops the rest."""

import json

import pytest
from django.core.files.storage import InMemoryStorage

from performance.models import Bottleneck, Comparison, TrackRun, WorkloadRun
from performance.report import track_report
from performance.scene import Improvement, Scene
from performance.track import run_track
from performance.track_result import Phase, summarized
from tests.factories import NINE
from tests.performance.measured import a_component, a_run, a_workload

pytestmark = pytest.mark.django_db
PHASES = ["workload_setup", "metrics", "bottlenecks", "optimizations", "component_comparison"]
SHAPE = {"name", "status", "duration", "tests", "passed", "failed", "findings"}


class Target:
    """Stands in for a real load: every run is measured at once; components have levels of their own."""

    def __init__(self, workload, **levels):
        self.workload, self.levels, self.count, self.breaks_at = workload, levels, 0, None
        self.ends_at, self.late_at = None, ()

    def start_run(
        self, workload, *, component=None, metadata=None, purpose="track", seed=None, now=None, **who
    ):
        self.count += 1
        if self.count == self.breaks_at:
            raise OSError("the target is gone")
        level = self.levels.get(component.name if component else "", 0.1) * (1 + 0.01 * (self.count % 3))
        run = a_run(
            workload,
            level,
            component=component,
            purpose=purpose,
            number=self.count,
            metadata={**(metadata or {}), "track": str(self.track.pk)},
            samples="kept",
            analyzed_at=NINE,
            generator_limit="It was late." if self.count in self.late_at else "",
        )
        if workload.name.endswith("-steps"):
            Bottleneck.objects.create(
                run=run, rank=1, kind="component", name="database", score=0.9, text="The database takes 80 %."
            )
        return WorkloadRun.objects.for_driving().get(pk=run.pk)


@pytest.fixture
def target():
    workload = a_workload()
    a_component(workload, "old", price_per_hour=0.1)
    a_component(workload, "new", price_per_hour=0.2)
    return Target(workload, old=0.2, new=0.1)


def go(target, **changes):
    workload = target.workload
    target.track = TrackRun.objects.create(
        project=workload.project, workload=workload, target=workload.target, triggered_by="ada"
    )
    scene = Scene(
        track=target.track,
        workload=workload,
        steps=a_workload(f"{workload.name}-steps"),
        start_run=target.start_run,
        drive_run=lambda run: run,
        clock=lambda: NINE,
        storage=InMemoryStorage(),
        is_wanted=lambda: target.ends_at is None or target.count < target.ends_at,
        **{"improvement": Improvement("index", "There is an index now.", "old", "new"), **changes},
    )
    return run_track(scene)


def phase(track, name):
    return next(one for one in track.summary["phases"] if one["name"] == name)


def test_every_phase_has_a_result_in_the_shape_of_the_summary(target):
    track = go(target)

    assert track.summary.keys() == {"status", "duration", "phases"}
    assert [one["name"] for one in track.summary["phases"]] == PHASES
    assert all(one.keys() == SHAPE for one in track.summary["phases"])
    assert all(one["tests"] == one["passed"] + one["failed"] for one in track.summary["phases"])
    assert json.loads(json.dumps(track.summary)) == track.summary


def test_the_phases_tell_what_they_found(target):
    track = go(target)

    assert phase(track, "bottlenecks")["findings"] == ["1. The database takes 80 %."]
    assert "better: latency.p95 0.4" in phase(track, "optimizations")["findings"][0]
    assert phase(track, "component_comparison")["findings"][0].startswith("new is first by latency.p95")
    assert track.status == "failed", "nobody watched the machine"
    assert "Not so: the machine was watched meanwhile." in phase(track, "metrics")["findings"]


def test_a_phase_that_breaks_off_does_not_stop_the_rest(target):
    target.breaks_at = 4  # the load in steps

    track = go(target)

    assert phase(track, "bottlenecks")["status"] == "error"
    assert phase(track, "bottlenecks")["findings"] == ["It broke off: OSError: the target is gone"]
    assert phase(track, "component_comparison")["status"] == "passed"
    assert track.status == "error"


def test_a_track_of_a_target_without_anything_to_compare_says_so(target):
    target.workload.components.all().delete()

    track = go(target, improvement=None)

    assert phase(track, "component_comparison")["status"] == "skipped"
    told = phase(track, "optimizations")
    assert told["status"] == "passed", "identical runs are not called better or worse"
    assert "No optimization is recorded yet" in told["findings"][0]


@pytest.mark.parametrize(("ends_at", "done"), [(0, 0), (1, 0), (3, 1), (10, 4)])
def test_an_interrupted_track_puts_no_more_load_on_and_is_cancelled(target, ends_at, done):
    target.ends_at = ends_at

    track = go(target)

    assert target.count == ends_at
    assert (track.status, track.summary["status"], track.reason) == ("cancelled",) * 2 + (
        "Cancelled by ada.",
    )
    told = track.summary["phases"]
    assert [one["status"] for one in told[done:]] == ["skipped"] * (5 - done)
    assert all(one["status"] != "skipped" for one in told[:done])
    assert not Comparison.objects.filter(status="running").exists(), "a worker would go on with it"


def test_a_turn_that_the_generator_was_late_for_is_told_and_fails_nothing(target):
    target.late_at = (9, 10, 11)  # a turn twice, and one more

    told = phase(go(target), "component_comparison")

    assert told["status"] == "passed", told
    assert [one for one in told["findings"] if "Left out:" in one and "It was late." in one]


@pytest.mark.parametrize(
    ("statuses", "whole"),
    [
        (["passed", "skipped"], "passed"),
        (["passed", "failed"], "failed"),
        (["failed", "error"], "error"),
        (["skipped", "skipped"], "error"),
    ],
)
def test_the_worst_phase_is_the_tracks_status(statuses, whole):
    assert summarized([Phase("a", status) for status in statuses], 1.0)["status"] == whole


def test_the_report_is_one_file_with_pictures_and_their_numbers(target):
    track = go(target)
    TrackRun.objects.filter(pk=track.pk).update(triggered_by="<script>alert(1)</script>")
    track.refresh_from_db()

    page = track_report(track, now=NINE)

    assert page.count("<svg") >= 2
    assert "The database takes 80 %." in page
    assert "Nothing was found" not in page, "that is of the load in steps, not of a component's turn"
    assert "prefers-color-scheme:dark" in page
    assert "<script" not in page
    for tag in ("src=", "href=", "@import", "url("):
        assert tag not in page


def test_a_track_without_any_result_still_has_a_report():
    workload = a_workload()
    track = TrackRun.objects.create(project=workload.project, workload=workload, target=workload.target)

    assert "Performance track" in track_report(track, now=NINE)
