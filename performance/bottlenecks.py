"""Look for what held a workload run back, and keep it with the run; done again, it is the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

import numpy as np
import structlog
from django.core.files.storage import Storage
from django.db import transaction

from analysis import columns
from performance.findings import find_bottlenecks
from performance.measured import Usual, measured_of
from performance.models import Bottleneck, Metric, MetricSeries, WorkloadRun
from performance.rules.base import Finding
from performance.samples import NoSamples, Samples, load_samples
from performance.sources.base import Series
from tracking.tracker import note

log = structlog.get_logger(__name__)
COMPONENT = "component:"  # how the figures of components are called
EARLIER_RUNS, FEWEST_RUNS = 10, 3


def analyze(workload_run: WorkloadRun, *, storage: Storage, now: datetime) -> list[Bottleneck]:
    """Read the kept samples of a run and keep what is found in them.

    Raises:
        NoSamples: none were kept; what was found before stays.
    """
    return keep_findings(workload_run, load_samples(workload_run, storage), now=now)


def analyze_if_possible(workload_run: WorkloadRun, *, storage: Storage, now: datetime) -> bool:
    """The same, and False where it could not be done; the run counts as looked at either way.

    It is the last thing done for a run that is closed and kept already, and must not spoil that.
    """
    try:
        analyze(workload_run, storage=storage, now=now)
    except NoSamples as problem:
        said = f"No bottlenecks were looked for. {problem}"
    except Exception as problem:
        log.exception("bottlenecks_not_found", run=str(workload_run))
        said = f"Looking for bottlenecks failed: {type(problem).__name__}."
    else:
        return True
    note(workload_run.run, "bottlenecks", said, now)
    WorkloadRun.objects.filter(pk=workload_run.pk).update(analyzed_at=now)
    return False


def keep_findings(workload_run: WorkloadRun, samples: Samples, *, now: datetime) -> list[Bottleneck]:
    """Find what held the run back by its samples and series, and replace what was kept before."""
    series = MetricSeries.objects.measured().filter(run=workload_run.run).exclude(source="samples")
    found = rank_bottlenecks(workload_run, samples, series)
    rows = [_row(workload_run, rank, finding) for rank, finding in enumerate(found, start=1)]
    with transaction.atomic():
        Bottleneck.objects.filter(run=workload_run).delete()
        Bottleneck.objects.bulk_create(rows)
        WorkloadRun.objects.filter(pk=workload_run.pk).update(analyzed_at=now)
    workload_run.analyzed_at = now
    return rows


def rank_bottlenecks(
    workload_run: WorkloadRun, samples: Samples, series: Iterable[MetricSeries]
) -> list[Finding]:
    """Return what held the run back, the strongest evidence first; empty where nothing was found."""
    run = workload_run.run
    begun = workload_run.load_started_at or run.started_at
    offset = (begun - run.started_at).total_seconds()
    measured = measured_of(
        samples,
        spec=workload_run.spec,
        series=tuple(_plain(one, offset) for one in series),
        usual=usual_of(workload_run),
        generator_limit=workload_run.generator_limit,
    )
    return find_bottlenecks(measured)


def usual_of(workload_run: WorkloadRun) -> Usual:
    """What up to ten earlier runs of the same load took; nothing where there are fewer than three."""
    earlier = (
        WorkloadRun.objects.judged()
        .filter(
            workload=workload_run.workload_id,
            component=workload_run.component_id,
            version=workload_run.version,
            started_at__lt=workload_run.started_at,
        )
        .order_by("-started_at")
        .values_list("pk", flat=True)[:EARLIER_RUNS]
    )
    runs = list(earlier)
    if len(runs) < FEWEST_RUNS:
        return Usual()
    figures = Metric.objects.filter(run__in=runs, request="")
    means: dict[str, list[float | None]] = defaultdict(list)
    for name, mean in figures.filter(name__startswith=COMPONENT, mean__isnull=False).values_list(
        "name", "mean"
    ):
        means[name.removeprefix(COMPONENT)].append(mean)
    latency = list(figures.filter(name="latency", p50__isnull=False).values_list("p50", flat=True))
    return Usual(
        runs=len(runs),
        # The median: one ill run among them is not what is usual.
        components={name: _median(values) for name, values in means.items() if name != "total"},
        latency=_median(latency) if latency else 0.0,
    )


def _median(values: list[float | None]) -> float:
    return float(np.median(np.array(values, dtype=float)))


def _plain(series: MetricSeries, offset: float) -> Series:
    """A kept series with its times from the start of the load."""
    times, values = columns.unpack(series.times), columns.unpack(series.values)
    return Series(series.name, series.unit, times - offset, values, series.saturated_at)


def _row(workload_run: WorkloadRun, rank: int, finding: Finding) -> Bottleneck:
    return Bottleneck(
        run=workload_run,
        rank=rank,
        kind=finding.kind,
        name=finding.name[:200],
        score=finding.score,
        share=finding.share,
        text=finding.text,
        evidence=finding.evidence,
    )
