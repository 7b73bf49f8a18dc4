"""Count the samples of a workload run into its figures and series."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from django.db import transaction

from analysis import columns
from performance.arrivals import planned_duration
from performance.figures import Figure, corrected_latency, figures_of, series_of
from performance.models import Metric, MetricSeries, WorkloadRun
from performance.samples import Samples
from performance.specification import spec_of

SOURCE = "samples"


def summarize(workload_run: WorkloadRun, samples: Samples, *, now: datetime) -> list[Figure]:
    """Write the figures and series of `samples`; done twice, they are the same.

    Series stand in seconds since the run's start, as those of every other source.
    """
    begin, end = _span(workload_run, samples)
    figures = figures_of(samples, begin=begin, end=end)
    spec = spec_of(workload_run)
    if (
        spec.arrival is None and spec.requests
    ):  # how long users think is not known of a team's own Locust file
        corrected = corrected_latency(samples, think=sum(spec.think_time) / 2)
        figures += [corrected] if corrected else []
    run = workload_run.run
    since = workload_run.load_started_at or run.started_at
    offset = (since - run.started_at).total_seconds()
    series = [
        MetricSeries(
            run=run,
            source=SOURCE,
            name=column.name,
            unit=column.unit,
            n=len(column.times),
            times=columns.pack(column.times + offset),
            values=columns.pack(column.values),
        )
        for column in series_of(samples)
    ]
    measured = samples.measured
    workload_run.requests = int(measured.sum())
    workload_run.errors = int((samples.failed & measured).sum())
    workload_run.summarized_at = now
    with transaction.atomic():
        Metric.objects.filter(run=workload_run).delete()
        MetricSeries.objects.filter(run=run, source=SOURCE).delete()
        Metric.objects.bulk_create(Metric(run=workload_run, **asdict(figure)) for figure in figures)
        MetricSeries.objects.bulk_create(series)
        workload_run.save(update_fields=["requests", "errors", "summarized_at"])
    return figures


def _span(workload_run: WorkloadRun, samples: Samples) -> tuple[float, float]:
    """From which second to which was measured: as planned, or less where the load ended before."""
    spec = spec_of(workload_run)
    rows = samples.rows[samples.measured]
    last = float((rows["intended"] + rows["latency"]).max()) if len(rows) else spec.warmup
    if workload_run.stopped_early or spec.max_requests or not spec.duration:
        return spec.warmup, last
    return spec.warmup, max(last, spec.warmup + planned_duration(spec))
