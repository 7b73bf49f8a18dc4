"""The performance track as one file that a manager would read: the answer, the pictures, the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

from analysis import columns
from performance.drawing import Bar, Line, intervals, over_time
from performance.models import Bottleneck, Comparison, Metric, MetricSeries, TrackRun, WorkloadRun
from performance.optimization import describe, figure_of
from performance.readings import measured
from performance.total_effect import total_effect
from performance.wording import figure, in_short_words

TITLES = {
    "workload_setup": "Workload set-up and trigger",
    "metrics": "Metrics",
    "bottlenecks": "Bottlenecks",
    "optimizations": "Optimizations",
    "component_comparison": "Component comparison",
}
QUANTILES = {"p50": "half of all", "p90": "90 %", "p95": "95 %", "p99": "99 %", "p999": "99.9 %"}


def track_report(track: TrackRun, *, now: datetime) -> str:
    """Return one HTML document without anything that lies elsewhere."""
    return render_to_string("reports/track.html", {"report": report_data(track, now=now)})


def report_data(track: TrackRun, *, now: datetime) -> dict[str, Any]:
    """Return all that the report says, from what the track has measured and stored."""
    runs = list(
        WorkloadRun.objects.for_list().filter(run__metadata__track=str(track.pk)).order_by("started_at")
    )
    phases = [
        {**phase, "title": TITLES.get(phase["name"], phase["name"])}
        for phase in track.summary.get("phases", [])
    ]
    main = [run for run in runs if run.run.metadata.get("calibration")]
    last = next((run for run in reversed(main) if measured(run)), main[-1] if main else None)
    return {
        "track": track,
        "target": track.target,
        "answer": answer(track, phases, last),
        "phases": phases,
        "metrics": _metrics(last),
        "bottlenecks": _bottlenecks(runs),
        "optimizations": _optimizations(track),
        "comparison": _comparison(track, runs),
        "runs": runs,
        "generated_at": now,
    }


def answer(track: TrackRun, phases: Sequence[dict[str, Any]], run: WorkloadRun | None) -> str:
    """What somebody reads who reads one line."""
    told = []
    if run and (latency := Metric.objects.filter(run=run, name="latency", request="").first()):
        rate = Metric.objects.filter(run=run, name="throughput", request="").first()
        if rate and latency.p95 is not None:
            told.append(
                f"The target answered {figure(rate.value, rate.unit)}, 95 % of it within "
                f"{in_short_words(latency.p95)}, with {run.error_share or 0:.2%} errors."
            )
    held_back = next((phase for phase in phases if phase["name"] == "bottlenecks"), None)
    if held_back and held_back["findings"]:
        told.append(held_back["findings"][0].removeprefix("1. "))
    bad = [phase["title"] for phase in phases if phase["status"] in ("failed", "error")]
    told.append(f"Look at: {', '.join(bad)}." if bad else "Every check of every phase held.")
    return " ".join(told)


def _metrics(run: WorkloadRun | None) -> dict[str, Any] | None:
    if run is None:
        return None
    latency = Metric.objects.filter(run=run, name="latency").order_by("request")
    rows = [
        {"request": row.request or "all requests", "n": row.n, **{q: getattr(row, q) for q in QUANTILES}}
        for row in latency
    ]
    whole = next((row for row in latency if not row.request), None)
    bars = [
        Bar(words, getattr(whole, name), *(whole.intervals.get(name) or (None, None)))
        for name, words in QUANTILES.items()
        if whole is not None and getattr(whole, name) is not None
    ]
    series = {row.name: row for row in MetricSeries.objects.measured().filter(run=run.run, source="samples")}
    return {
        "run": run,
        "rows": rows,
        "intervals": [(bar.label, bar.value, bar.low, bar.high) for bar in bars],
        "chart": _safe(intervals("Response times with their intervals", bars, word=in_short_words)),
        "times": _safe(_drawn("Response times over the run", series, ["p50", "p95"], in_short_words)),
        "rates": _safe(_drawn("Requests answered in a second", series, ["throughput"], _plain)),
    }


def _bottlenecks(runs: Sequence[WorkloadRun]) -> dict[str, Any]:
    run = _looked_at(runs)
    rows = list(Bottleneck.objects.filter(run=run)) if run else []
    series: dict[str, MetricSeries] = {}
    if run:
        series = {
            one.name: one for one in MetricSeries.objects.measured().filter(run=run.run, source="samples")
        }
    return {
        "run": run,
        "rows": rows,
        "load": _safe(_drawn("Load and answers in a second", series, ["arrivals", "throughput"], _plain)),
        "times": _safe(_drawn("Response times meanwhile", series, ["p50", "p95"], in_short_words)),
    }


def _looked_at(runs: Sequence[WorkloadRun]) -> WorkloadRun | None:
    """The run that the phase of bottlenecks looked at: the one in rising steps, where there was one."""
    own = [run for run in runs if run.analyzed_at and run.purpose == WorkloadRun.Purpose.TRACK]
    in_steps = [run for run in own if not run.run.metadata.get("calibration")]
    return next(reversed(in_steps or own), None)


def _optimizations(track: TrackRun) -> dict[str, Any] | None:
    if track.workload is None:
        return None
    rows = list(track.workload.optimizations.order_by("created_at"))
    figures = [(row, figure_of(row)) for row in rows]
    bars = [
        Bar(row.name, one["ratio"], one["low"], one["high"], f"{one['ratio']:.2f} × {row.verdict}")
        for row, one in figures
        if one.get("low") is not None
    ]
    total = total_effect(track.workload)
    if total.ratio is not None and len(total.counted) > 1:
        bars.append(Bar("all together", total.ratio, total.low, total.high, f"{total.ratio:.2f} ×"))
    return {
        "rows": [{"row": row, "figure": one, "answer": describe(row)} for row, one in figures],
        "total": total,
        "chart": _safe(intervals("Effect on the 95 % response time", bars, reference=1.0, word=_times)),
    }


def _comparison(track: TrackRun, runs: Sequence[WorkloadRun]) -> dict[str, Any] | None:
    turns = Comparison.objects.filter(turns__run__in=[run.pk for run in runs])
    comparison = turns.order_by("-created_at").first()
    if comparison is None or not comparison.result.get("ranking"):
        return None
    bars = [
        Bar(row["component"], row["value"], row["low"], row["high"]) for row in comparison.result["ranking"]
    ]
    title = f"{comparison.result['metric']} by component"
    return {
        "comparison": comparison,
        "rows": comparison.result["ranking"],
        "answer": comparison.result["answer"],
        "chart": _safe(intervals(title, bars, word=in_short_words)),
    }


def _drawn(title: str, series: dict[str, MetricSeries], names: Sequence[str], word: Any) -> str:
    lines = [
        Line(name, columns.unpack(series[name].times).tolist(), columns.unpack(series[name].values).tolist())
        for name in names
        if name in series
    ]
    return over_time(title, lines, word=word)


def _safe(svg: str) -> str:
    return mark_safe(svg)  # noqa: S308 - drawn by us, and every text in it is escaped


def _plain(value: float) -> str:
    return f"{value:.3g}"


def _times(value: float) -> str:
    return f"{value:g} ×"
