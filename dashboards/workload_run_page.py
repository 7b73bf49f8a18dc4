"""What the page of one workload run shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from analysis.sketches import quantiles_of
from analysis.wording import count
from dashboards.templatetags.durations import duration, number, share
from performance.figures import CORRECTED
from performance.judging import Judged, overall
from performance.models import Bottleneck, Metric, MetricSeries, WorkloadRun
from performance.readings import TIME
from performance.verdicts import NO_PROOF
from performance.wording import in_short_words

LADDER = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9999)
OWN = "samples"  # the source of the series that are counted from the run's own samples
FACTS = {  # the generator's words in ours, and the unit
    "python": ("Python", ""),
    "cores": ("cores of that machine", ""),
    "load_before": ("load before it began", "processes"),
    "loop": ("kind of load", ""),
    "version": ("version of the generator", ""),
    "cpu": ("CPU of the generator", "share"),
    "late": ("sent late by", ""),
    "sent": ("requests sent", ""),
    "unanswered": ("requests without an answer", ""),
    "waited_for_connection": ("waited for a free connection", "requests"),
    "connections": ("connections opened", ""),
}
PARTS, SHARES = "component:", "component_share:"
PRIMARY = "latency.p95"
COLUMNS = [
    *("request", "name", "unit", "n", "value", "low", "high", "mean", "p50", "p90", "p95", "p99", "p999"),
]


@dataclass(frozen=True, slots=True)
class LoadPage:
    """Figures over all and by request, series over time, and what held the run back."""

    latency: Metric | None
    corrected: Metric | None
    figures: list[Metric]
    requests: list[Metric]
    times: list[Metric]
    components: list[tuple[str, Metric, float | None]]
    own: dict[str, MetricSeries]
    bottlenecks: list[Bottleneck]
    ladder: list[tuple[float, float]]


def load(run: WorkloadRun) -> LoadPage:
    """Return the page of a run in three queries."""
    metrics = list(Metric.objects.filter(run=run).order_by("name", "request"))
    series = MetricSeries.objects.filter(run=run.run_id, source=OWN).measured().order_by("name")
    latency = next((one for one in metrics if one.name == "latency" and not one.request), None)
    corrected = next((one for one in metrics if one.name == CORRECTED), None)
    others = [one for one in metrics if not one.request and one.name not in ("latency", CORRECTED, TIME)]
    return LoadPage(
        latency=latency,
        corrected=corrected,
        figures=[one for one in others if not one.name.startswith((PARTS, SHARES))],
        requests=[one for one in metrics if one.request and one.name == "latency"],
        times=[one for one in metrics if one.request and one.name == TIME],
        components=_components(others),
        own={one.name: one for one in series},
        bottlenecks=list(Bottleneck.objects.filter(run=run).order_by("rank")),
        ladder=_ladder(latency),
    )


def _components(metrics: Sequence[Metric]) -> list[tuple[str, Metric, float | None]]:
    """Name, seconds and share of the response time of each component, the longest first."""
    shares = {one.name.removeprefix(SHARES): one.value for one in metrics if one.name.startswith(SHARES)}
    found = [(one.name.removeprefix(PARTS), one) for one in metrics if one.name.startswith(PARTS)]
    found.sort(key=lambda row: -(row[1].mean or 0))
    return [(name, one, shares.get(name)) for name, one in found]


def _ladder(latency: Metric | None) -> list[tuple[float, float]]:
    """The quantiles that as many measurements can tell: (share of requests, seconds)."""
    if latency is None or not latency.sketch:
        return []
    n, values = quantiles_of([bytes(latency.sketch)], *LADDER)
    told = [(q, value) for q, value in zip(LADDER, values, strict=True) if value is not None]
    return [(q, value) for q, value in told if n * (1 - q) >= 3]


def plain(metric: Metric) -> dict[str, Any]:
    """A figure for a file."""
    return {name: getattr(metric, name) for name in COLUMNS}


def sentence(run: WorkloadRun, shown: LoadPage) -> str:
    """Say what goes on, or how the target did and what held it back."""
    if run.run.is_running:
        return _going(run)
    if shown.times and not shown.latency and not shown.requests:
        return _benchmarked(run, shown.times)
    if not run.requests or not (shown.latency or shown.requests):
        return "Nothing was measured." if run.summarized_at or run.run.status != "passed" else "Counting …"
    rate = next((one.value for one in shown.figures if one.name == "throughput"), None)
    told = [
        f"{count(run.requests, 'request')}"
        + (f" at {rate:,.1f} a second" if rate is not None else "")
        + (_answered(shown.latency) if shown.latency else "")
    ]
    told[0] += f"; {share(run.error_share)} failed." if run.errors else "; none failed."
    if run.generator_limit:
        told.append("The load generator was the limit, so these figures say little of the target.")
    elif shown.bottlenecks:
        told.append(shown.bottlenecks[0].text)
    elif run.analyzed_at:
        told.append("Nothing was found that held it back.")
    return " ".join(told)


def _answered(latency: Metric) -> str:
    known = [("half were answered", latency.p50), ("95 %", latency.p95)]
    told = [f"{who} within {duration(value)}" for who, value in known if value is not None]
    return f": {', '.join(told)}" if told else f": {duration(latency.mean)} on average"


def _benchmarked(run: WorkloadRun, times: Sequence[Metric]) -> str:
    slowest = max(times, key=lambda one: one.value or 0.0)
    told = f"{run.tool} timed {count(len(times), 'thing')}"
    of = f"; the slowest, {slowest.request}, took" if len(times) > 1 else f": {slowest.request} took"
    told += f"{of} {in_short_words(slowest.value)}"
    told += f" (median of {count(slowest.n, 'repetition')})." if slowest.n > 1 else "."
    return told + (f" {count(run.errors, 'repetition')} ended with an error." if run.errors else "")


def facts_of(run: WorkloadRun) -> list[tuple[str, str]]:
    """What else is known of how a run was measured, in words: label and text."""
    facts, told = run.generator_facts, []
    for key, value in facts.items():
        label, unit = FACTS.get(key, (key.replace("_", " "), ""))
        if isinstance(value, dict):
            words = [f"{name} {in_short_words(one)}" for name, one in value.items()]
            told.append((label, ", ".join(words)))
        elif isinstance(value, float):
            told.append((label, share(value) if unit == "share" else f"{value:.3g} {unit}".strip()))
        else:
            told.append((label, f"{number(value) if isinstance(value, int) else value} {unit}".strip()))
    return told


def compared(base: WorkloadRun, head: WorkloadRun, judged: Sequence[Judged]) -> str:
    """Say whether the second of two runs did better, by how much, and how sure that is."""
    if base.workload_id != head.workload_id or base.version != head.version:
        other = (
            "These are different workloads" if base.workload_id != head.workload_id else "The load changed"
        )
        return f"{other}, so a difference may come from the load and not from the target."
    verdict, reason = overall(judged, PRIMARY)
    first = next((one.verdict for one in judged if str(one.yardstick) == PRIMARY), None)
    if first is None or first.ratio is None:
        return f"{verdict.capitalize()}: {reason}."
    by = f"{first.ratio:.2f} × the p95 latency"
    if first.low is not None and first.high is not None:
        by += f" (95 % interval {first.low:.2f} to {first.high:.2f})"
    told = f"{verdict.capitalize()}: head has {by}." + (f" {reason.capitalize()}." if reason else "")
    if verdict == NO_PROOF and first.smallest is not None:
        told += f" A change of {share(first.smallest)} or more would have been seen."
    return told


def _going(run: WorkloadRun) -> str:
    said = run.progress
    if not said:
        return "The load is being prepared." if not run.load_started_at else "The load has begun."
    rate, errors = said.get("rate"), said.get("errors") or 0
    told = f"{number(said.get('requests', 0))} requests so far"
    if rate is not None:
        told += f", {rate:,.0f} a second"
    if said.get("p95") is not None:
        told += f"; p95 of the last seconds {duration(said['p95'])}"
    told += f"; {count(errors, 'error')}." if errors else "; no errors."
    return told + (" It is being stopped." if run.run.cancel_requested_at else "")
