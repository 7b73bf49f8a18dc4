from datetime import timedelta

import numpy as np
import pytest

from analysis import columns
from performance.gathering import (
    LATENESS,
    PAUSES,
    SETTLED,
    Asked,
    gather_series,
    keep_host_series,
    queries_of,
    ungathered,
)
from performance.models import Gathering, MetricQuery, MetricSeries
from performance.sources.base import Query, Series, SourceRefused, SourceUnavailable, grid_of
from performance.sources.host import host_queries
from performance.sources.host_samples import RECORD
from tests.factories import NINE, make_ended_run, make_environment, make_project, make_run, make_workflow
from tracking.models import WorkflowJob

BUSY = Asked("prometheus", Query("busy", "sum(busy)", "share", 0.9))
CPU = Asked("cloudwatch", Query("CPU", "AWS/ECS/CPU:Average", "%"))


class Source:
    """Gives the seconds since nine as values, with a gap; or fails with what it is given."""

    def __init__(self, *problems):
        self.problems, self.asked = list(problems), []

    def read(self, query, start, end, step):
        self.asked.append((start, end, step))
        if self.problems and (problem := self.problems.pop(0)):
            raise problem
        times = grid_of(start, end, step)
        values = times - NINE.timestamp()
        values[(values < 0) | ((values > 30) & (values < 40)) | (values > 60)] = np.nan
        return Series(query.name, query.unit, times, values, query.saturated_at)


def end_of(run):
    return run.completed_at


def gather(run, *asked, source=None, now=None, connect=None):
    source = source or Source()
    state = gather_series(
        run,
        connect=connect or (lambda name: source),
        queries=asked or [BUSY],
        now=now or end_of(run) + LATENESS,
    )
    return state, source


@pytest.fixture
def run(db):
    return make_ended_run()


def kept(run, name="busy"):
    row = MetricSeries.objects.get(run=run, name=name)
    return columns.unpack(row.times), columns.unpack(row.values), row


def test_a_series_counts_its_times_from_the_start_of_the_run_and_keeps_its_gap(run):
    _, source = gather(run)

    times, values, row = kept(run)
    (start, end, step) = source.asked[0]
    assert start < run.started_at < run.completed_at < end
    assert (times[0], times[-1], step) == (0, 60, 2)
    np.testing.assert_array_equal(values[[0, 15, 17, 20]], [0, 30, np.nan, 40])
    assert (row.source, row.unit, row.saturated_at, row.n, row.problem) == (
        "prometheus",
        "share",
        0.9,
        27,
        "",
    )


def test_what_is_read_again_replaces_what_was_kept(run):
    gather(run)
    gather(run)

    assert MetricSeries.objects.count() == Gathering.objects.count() == 1


def test_all_is_read_once_more_when_late_values_have_come(run):
    first, _ = gather(run, now=end_of(run) + LATENESS)
    last, _ = gather(run, now=end_of(run) + SETTLED)

    assert (first.again_at, last.again_at) == (end_of(run) + SETTLED, None)


def test_a_source_that_is_silent_is_asked_later_and_only_once_for_all_its_series(run):
    other = Asked("prometheus", Query("errors", "sum(errors)"))
    source = Source(SourceUnavailable("Prometheus did not answer: Timeout."))
    now = end_of(run) + SETTLED

    state, _ = gather(run, BUSY, other, source=source, now=now)

    assert len(source.asked) == 1
    assert (state.problem, state.again_at) == ("Prometheus did not answer: Timeout.", now + PAUSES[0])
    assert {row.problem for row in MetricSeries.objects.all()} == {"Prometheus did not answer: Timeout."}

    state, _ = gather(run, BUSY, other, now=state.again_at)

    assert (state.problem, state.again_at) == ("", None)
    assert {row.problem for row in MetricSeries.objects.all()} == {""}


def test_a_source_that_stays_silent_is_given_up(run):
    now = end_of(run) + SETTLED
    for _ in range(len(PAUSES) + 1):
        state, _ = gather(run, source=Source(SourceUnavailable("It did not answer.")), now=now)

    assert state.again_at is None
    assert state.problem == "It did not answer."


def test_a_silent_source_does_not_wipe_what_was_read_before(run):
    gather(run)
    gather(run, source=Source(SourceUnavailable("It did not answer.")))

    assert kept(run)[2].n == 27


def test_a_question_that_can_have_no_answer_says_why_and_the_others_are_asked(run):
    sources = {"prometheus": Source(SourceRefused("It gives 2 series.")), "cloudwatch": Source()}

    state, _ = gather(run, BUSY, CPU, Asked("graphite", CPU.query), connect=sources.__getitem__)

    assert kept(run)[2].problem == "It gives 2 series."
    assert MetricSeries.objects.get(source="graphite").problem == "There is no source 'graphite' here."
    assert MetricSeries.objects.get(source="cloudwatch").n == 27
    assert state.problem == ""


def test_a_run_is_asked_what_its_project_set_for_its_environment(run):
    for name, environment, enabled in (
        ("everywhere", None, True),
        ("here", run.environment, True),
        ("elsewhere", make_environment("prod"), True),
        ("off", None, False),
    ):
        MetricQuery.objects.create(
            project=run.project,
            source="prometheus",
            name=name,
            query="up",
            environment=environment,
            enabled=enabled,
        )
    MetricQuery.objects.create(project=make_project("other"), source="prometheus", name="theirs", query="up")

    asked = queries_of(run, host="desk", host_queries=host_queries())

    assert [one.query.name for one in asked] == ["everywhere", "here"]


def test_this_machines_record_is_asked_only_for_what_ran_on_it(run):
    WorkflowJob.objects.update(runner_name="desk")

    here = queries_of(run, host="desk", host_queries=host_queries())
    there = queries_of(run, host="other", host_queries=host_queries())

    assert {one.source for one in here} == {"host"}
    assert there == []


def test_runs_are_looked_at_when_they_have_ended_a_moment_ago_and_have_something_to_be_asked(run, db):
    now = end_of(run) + LATENESS
    make_workflow(make_run())
    elsewhere = make_ended_run(started_at=NINE - timedelta(days=1))
    assert not ungathered(now, host="desk").exists()

    MetricQuery.objects.create(project=run.project, source="prometheus", name="busy", query="up")

    assert list(ungathered(now, host="desk")) == [elsewhere, run]
    assert list(ungathered(now - timedelta(seconds=1), host="desk")) == [elsewhere]
    assert not ungathered(now + timedelta(days=3), host="desk").exists()

    gather(run, now=now)
    assert list(ungathered(now, host="desk")) == [elsewhere]
    assert run in ungathered(end_of(run) + SETTLED, host="desk")


def test_a_run_that_was_opened_again_is_read_again(run):
    MetricQuery.objects.create(project=run.project, source="prometheus", name="busy", query="up")
    now = end_of(run) + SETTLED
    gather(run, now=now)
    assert not ungathered(now, host="desk").exists()

    run.completed_at += timedelta(minutes=10)
    run.save()

    later = run.completed_at + LATENESS
    assert list(ungathered(later, host="desk")) == [run]
    assert gather(run, now=later)[0].until == run.completed_at


def test_what_a_sampler_of_a_load_wrote_is_kept_once(run, tmp_path):
    samples = np.full(5, np.nan, RECORD)
    samples["at"] = NINE.timestamp() + np.arange(5)
    samples["cpu"] = 0.5
    (tmp_path / "host.bin").write_bytes(samples.tobytes() + b"torn")

    assert keep_host_series(run, tmp_path / "host.bin") == 1
    assert keep_host_series(run, tmp_path / "host.bin") == 1

    times, values, row = kept(run, "CPU")
    assert (times.tolist(), values.tolist(), row.source) == ([0, 1, 2, 3, 4], [0.5] * 5, "host")
    assert keep_host_series(run, tmp_path / "missing.bin") == 0
