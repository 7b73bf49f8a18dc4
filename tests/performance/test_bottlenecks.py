import io
import json
from datetime import timedelta

import numpy as np
import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.utils import timezone

from analysis import columns
from performance.bottlenecks import analyze, analyze_if_possible, usual_of
from performance.management.driving import drive_here
from performance.models import Bottleneck, MetricSeries, WorkloadRun
from performance.samples import NoSamples
from performance.trigger import start_workload_run
from tests.demo.conftest import opened
from tests.factories import NINE
from tests.performance.factories import SPEC, make_samples, make_workload, make_workload_run

CHANCE = np.random.default_rng(1)


def samples_of(database=0.003, n=500):
    """Samples of a target that tells its parts."""
    parts = {
        "database": database * CHANCE.lognormal(0, 0.3, n),
        "rendering": 0.002 * CHANCE.lognormal(0, 0.3, n),
    }
    total = sum(parts.values()) + 0.0005
    return make_samples(total + 0.001, components={**parts, "total": total})


def call(*arguments):
    out = io.StringIO()
    call_command("workload", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def ill(db):
    return make_workload_run(samples=samples_of(0.06))


def test_what_is_found_is_kept_with_the_run_once(ill):
    for _ in range(2):
        analyze(ill, storage=storages["artifacts"], now=NINE)

    (row,) = Bottleneck.objects.all()
    assert (row.run, row.rank, row.kind, row.name) == (ill, 1, "component", "database")
    assert row.score > 0.9
    assert row.evidence["seconds"] == pytest.approx(0.06, rel=0.1)
    assert WorkloadRun.objects.get().analyzed_at == NINE


def test_nothing_found_is_an_answer(db):
    run = make_workload_run(samples=samples_of())

    assert analyze(run, storage=storages["artifacts"], now=NINE) == []
    assert WorkloadRun.objects.get().analyzed_at == NINE
    assert (
        call("bottlenecks", str(run)) == f"Nothing held the target back in {run}, as far as was measured.\n"
    )


def test_a_run_without_samples_says_so_and_counts_as_looked_at(db):
    run = make_workload_run(keep=False)

    with pytest.raises(NoSamples):
        analyze(run, storage=storages["artifacts"], now=NINE)
    assert not analyze_if_possible(run, storage=storages["artifacts"], now=NINE)
    assert WorkloadRun.objects.get().analyzed_at == NINE
    assert "No samples were kept" in run.run.events.get(kind="bottlenecks").text


def test_a_fault_in_looking_leaves_the_run_as_it_is(ill):
    MetricSeries.objects.create(
        run=ill.run, source="prometheus", name="broken", n=2, times=b"no column", values=b""
    )

    assert not analyze_if_possible(ill, storage=storages["artifacts"], now=NINE)
    assert ill.run.events.get(kind="bottlenecks").text == "Looking for bottlenecks failed: error."


def test_series_are_held_against_the_load_from_its_start(db):
    """The load began four seconds after its run; the disk was full while the load's second half was slow."""
    intended = np.arange(500) / 50
    run = make_workload_run(latencies=np.where(intended > 5, 0.1, 0.005))
    run.run.started_at = run.load_started_at - timedelta(seconds=4)
    at = np.arange(0, 10, 0.25)
    MetricSeries.objects.create(
        run=run.run,
        source="host",
        name="disk busy",
        unit="share",
        saturated_at=0.95,
        n=len(at),
        times=columns.pack(at + 4),
        values=columns.pack(np.where(at > 5.1, 1.0, 0.1)),
    )

    rows = analyze(run, storage=storages["artifacts"], now=NINE)

    assert ("resource", "disk busy") in [(row.kind, row.name) for row in rows]
    assert 0 <= rows[0].evidence["picture"]["x"][0] < 1


def test_what_is_usual_is_the_median_of_earlier_runs_that_can_be_judged(db):
    workload, known = make_workload(), []
    for hour in range(4):
        run = make_workload_run(
            workload,
            samples=samples_of([0.003, 0.003, 0.08, 0.004][hour]),
            started_at=NINE.replace(hour=hour),
            generator_limit="It was late." if hour == 3 else "",
        )
        known.append(usual_of(run).runs)

    usual = usual_of(run)

    assert known == [0, 0, 0, 3]
    assert usual.components["database"] == pytest.approx(0.003, rel=0.2)
    assert "total" not in usual.components
    assert usual.latency == pytest.approx(0.0065, rel=0.3)


def test_the_command_ranks_them_and_gives_them_as_json(ill):
    text = call("bottlenecks", str(ill))
    found = json.loads(call("bottlenecks", str(ill), "--format", "json"))

    assert text.splitlines()[0] == f"What held the target back in {ill}:"
    assert text.splitlines()[1].startswith("  1. component 0.9")
    assert found["run"] == str(ill)
    assert [row["name"] for row in found["bottlenecks"]] == ["database"]
    assert found["bottlenecks"][0]["evidence"]["picture"]["x"]


def test_the_command_says_why_nothing_can_be_looked_for(db):
    going = make_workload_run(status="running")
    imported = make_workload_run(keep=False)

    with pytest.raises(CommandError, match="is going on; look again when it has ended"):
        call("bottlenecks", str(going))
    with pytest.raises(CommandError, match="No samples were kept"):
        call("bottlenecks", str(imported))
    with pytest.raises(CommandError, match="no workload run 'nothing'"):
        call("bottlenecks", "nothing")


@pytest.mark.django_db(transaction=True)
def test_a_run_ends_with_its_bottlenecks_found_and_the_machine_beside_it():
    """The whole way: trigger, generator, sampler, summary, findings; the shop's database is slow."""
    with opened("--slow", "database=0.06") as shop:
        spec = {**SPEC, "requests": [{"name": "product", "path": "/product/7"}], "duration": 3}
        workload = make_workload(target=shop.address, spec=spec)
        run = start_workload_run(workload, triggered_by="ada", now=timezone.now())
        drive_here(run.run.pk)

    run.refresh_from_db()
    names = set(MetricSeries.objects.filter(run=run.run, source="host").values_list("name", flat=True))
    first = run.bottlenecks.first()
    assert (first.kind, first.name) == ("component", "database")
    assert {"CPU", "CPU of the generator", "CPU of the target", "memory of the target"} <= names
    assert run.analyzed_at
