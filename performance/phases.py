"""The phases of the performance track: each asks its own questions of one target, and tells what it found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from performance.bottlenecks import analyze_if_possible
from performance.comparison import start_comparison
from performance.comparison_text import in_one_line
from performance.foresight import power_before
from performance.judging import judge_sides
from performance.models import (
    Bottleneck,
    Comparison,
    Metric,
    MetricSeries,
    WorkloadRun,
)
from performance.optimization import NotRecordable, describe, judge, record_optimization
from performance.proving import advance_comparison
from performance.readings import measured
from performance.scene import Improvement, Scene, Told
from performance.total_effect import total_effect
from performance.verdicts import BETTER, WORSE
from performance.wording import figure

QUANTILES = ("p50", "p90", "p95")  # of every run, however short; p99 and p99.9 need more requests
ALIKE, MOST_ALIKE = 3, 5  # identical runs that tell the noise; tries at them


def set_up(scene: Scene) -> Told:
    """Whether load can be put on the target, and it answers."""
    told = Told()
    run = scene.whole_run(scene.workload, **_alike(scene))
    told.check("the run was started and has ended", not run.run.is_running)
    told.check("the target answered", run.requests > 0, run.run.reason)
    told.check("every answer passed its checks", run.requests and not run.errors, run.run.reason)
    told.check("the generator kept up", not run.generator_limit, run.generator_limit)
    told.check("every sample is kept", run.samples)
    told.findings.append(
        f"{run}: {run.requests:,} requests on {run.run.plan.get('target')}, {run.errors:,} errors, "
        f"{run.run.status}."
    )
    return told


def measure(scene: Scene) -> Told:
    """How the target answers, how sure that is, and how much identical runs differ."""
    told = Told()
    while len(scene.runs) < MOST_ALIKE and sum(measured(run) for run in scene.runs) < ALIKE:
        scene.keep(scene.make_run(scene.workload, **_alike(scene)))
    run = _best(scene)
    latency = Metric.objects.filter(run=run, name="latency", request="").first()
    rate = Metric.objects.filter(run=run, name="throughput", request="").first()
    told.check("throughput was measured", rate and rate.value)
    for name in QUANTILES:
        told.check(f"{name} was measured", latency and getattr(latency, name) is not None)
    told.check("the median has an interval", latency and latency.intervals.get("p50"))
    series = MetricSeries.objects.measured().filter(run=run.run)
    told.check("figures over time are there", series.filter(source="samples").exists())
    told.check("the machine was watched meanwhile", series.exclude(source="samples").exists())
    told.check("a run was measured whole", any(measured(one) for one in scene.runs))
    for one in scene.runs:
        if not measured(one):
            told.findings.append(
                f"Left out: {one}. {one.generator_limit or one.stopped_early or one.run.reason}"
            )
    if latency and rate:
        told.findings.append(_in_words(latency, rate, run))
    told.findings.append(power_before(scene.workload).sentence)
    return told


def find_limits(scene: Scene) -> Told:
    """What holds the target back, under the same load and in rising steps."""
    told = Told()
    run = scene.whole_run(scene.steps, purpose="track") if scene.steps else _best(scene)
    if run.analyzed_at is None:
        analyze_if_possible(run, storage=scene.storage, now=scene.clock())
        run.refresh_from_db()
    told.check("bottlenecks were looked for", run.analyzed_at)
    told.check("the generator was not the limit", not run.generator_limit, run.generator_limit)
    found = list(Bottleneck.objects.filter(run=run))
    told.findings += [f"{one.rank}. {one.text}" for one in found]
    if not found:
        told.findings.append(f"Nothing was found that held {run} back.")
    return told


def try_improvements(scene: Scene) -> Told:
    """Whether what was changed has helped; without any change, whether equal runs are told as equal."""
    told = Told()
    if scene.improvement:
        try:
            _improve(scene, scene.improvement)
        except NotRecordable as problem:
            told.check("what the track itself changed could be measured", False, str(problem))
    rows = list(scene.workload.optimizations.order_by("created_at"))
    for row in rows:
        judge(row, now=scene.clock())
        told.check(f"{row} was judged", row.verdict)
        told.findings.append(f"{row}: {describe(row)}")
    if rows:
        told.findings.append(total_effect(scene.workload).sentence)
        return told
    whole = [run for run in scene.runs if measured(run)]
    judged = judge_sides(scene.workload, whole[:1], whole[1:]) if len(whole) > 1 else []
    alarms = [str(one.yardstick) for one in judged if one.verdict.verdict in (BETTER, WORSE) and one.q < 0.01]
    told.check("identical runs are not called better or worse", judged and not alarms, ", ".join(alarms))
    told.findings.append(
        "No optimization is recorded yet: `workload optimization add NAME --before RUN --after RUN -d TEXT`."
    )
    return told


def compare_components(scene: Scene) -> Told:
    """Which component is better under the same load."""
    told = Told()
    components = list(scene.workload.components.all())
    if len(components) < 2:
        told.is_skipped = True
        told.findings.append(
            f"{scene.workload} has no two components to compare; a workload file names them."
        )
        return told
    comparison = start_comparison(
        scene.workload, components, rounds=scene.rounds, by=scene.track.triggered_by, now=scene.clock()
    )
    scene.tell(comparison=str(comparison.pk))
    while comparison.status == Comparison.Status.RUNNING:
        scene.go_on()
        started = advance_comparison(comparison, start=scene.start_run, now=scene.clock())
        if started is not None:
            scene.drive(started)  # the turn is kept before its load begins: no transaction lasts as long
        elif comparison.turns.filter(run__run__status="running").exists():
            scene.wait()  # a worker has taken the turn
        comparison.refresh_from_db()
    ranking = comparison.result.get("ranking", [])
    told.check("every component was measured", len(ranking) == len(components), comparison.reason)
    told.check("the ranking has intervals", ranking and all(one["low"] is not None for one in ranking))
    told.findings.append(comparison.result.get("answer") or comparison.reason)
    told.findings += [f"{one['rank']}. {in_one_line(one)}" for one in ranking]
    told.findings += [
        f"Left out: {one['component']} in round {one['round']}, twice. {one['reason']}"
        for one in comparison.result.get("left_out", [])
    ]
    return told


PHASES: dict[str, Callable[[Scene], Told]] = {
    "workload_setup": set_up,
    "metrics": measure,
    "bottlenecks": find_limits,
    "optimizations": try_improvements,
    "component_comparison": compare_components,
}


def _best(scene: Scene) -> WorkloadRun:
    """The last run of the load that was measured whole; the last one where none was."""
    return next((run for run in reversed(scene.runs) if measured(run)), scene.runs[-1])


def _alike(scene: Scene) -> dict[str, Any]:
    return {"purpose": "track", "metadata": {"calibration": f"track {scene.track.pk}"}}


def _improve(scene: Scene, wanted: Improvement) -> None:
    """Measure both sides in turn and record the change, under a name that is still free."""
    known = {one.name: one for one in scene.workload.components.all()}
    sides: dict[str, list[WorkloadRun]] = {wanted.before: [], wanted.after: []}
    for _ in range(2):
        for name, runs in sides.items():
            runs.append(scene.whole_run(scene.workload, component=known[name], purpose="optimization"))
    taken = set(scene.workload.optimizations.values_list("name", flat=True))
    name = next(
        name for number in range(1, len(taken) + 2) if (name := f"{wanted.name} {number}") not in taken
    )
    record_optimization(
        scene.workload,
        name,
        before=sides[wanted.before],
        after=sides[wanted.after],
        description=wanted.description,
        by=scene.track.triggered_by,
        now=scene.clock(),
    )


def _in_words(latency: Metric, rate: Metric, run: WorkloadRun) -> str:
    times = ", ".join(
        f"{name} {figure(getattr(latency, name), 's')}"
        for name in ("p50", "p90", "p95", "p99", "p999")
        if getattr(latency, name) is not None
    )
    return (
        f"{figure(rate.value, rate.unit)} answered, {run.errors:,} of {run.requests:,} requests failed; "
        f"{times}, each counted from the time at which the request was meant to be sent."
    )
