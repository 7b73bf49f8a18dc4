"""Take in what another tool measured, as a run of a workload that has figures and no samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.db import IntegrityError, transaction

from analysis.proportions import wilson_interval
from performance.figures import QUANTILES, Figure, figure_of_values
from performance.imports.results import Imported
from performance.models import Metric, Workload, WorkloadRun
from performance.saving import definition_of
from performance.specified import Limits
from tracking.lifecycle import Status, close_run
from tracking.models import Environment, TestRun
from tracking.tracker import create_run, note


def import_results(
    workload_name: str,
    results: Sequence[Imported],
    *,
    environment: Environment,
    triggered_by: str,
    digest: str,
    now: datetime,
    metadata: dict[str, Any] | None = None,
    **fields: Any,
) -> tuple[WorkloadRun, bool]:
    """Store what one file says as a run of the workload; return it and whether it is new.

    The workload is made where there is none; it can't be run by Runtrail until somebody gives it a target.

    Args:
        results: at least one.
        digest: of the file's content: the same file a second time is the same run.
        fields: branch, commit_sha, tree_hash, space.

    Raises:
        NotRunnable: the name belongs to something else.
    """
    workload = _workload(workload_name, environment, now)
    same = WorkloadRun.objects.filter(workload=workload, digest=digest)
    if known := same.first():
        return known, False
    begun = min([now, *(result.started_at for result in results if result.started_at)])
    plan = {"kind": "workload", "steps": [], "test_type": workload.definition.test_type, "service": ""}
    metadata = {**(metadata or {}), "tool": results[0].tool, "sha256": digest}
    fields |= {"triggered_by": triggered_by[:255], "metadata": metadata}
    try:
        with transaction.atomic():
            run = create_run(workload.definition, environment, plan, now=begun, **fields)
            made = _store(run, workload, results, digest, now)
            note(run, "imported", f"Taken from a result of {results[0].tool}: {len(results)} figures.", now)
            _close(run, results, made.requests, made.errors)
    except IntegrityError:  # somebody else took the same file in just now
        return same.get(), False
    return made, True


def _store(
    run: TestRun, workload: Workload, results: Sequence[Imported], digest: str, now: datetime
) -> WorkloadRun:
    requests, errors = _counts(results)
    made = WorkloadRun.objects.create(
        run=run,
        workload=workload,
        started_at=run.started_at,
        version=workload.version,
        tool=results[0].tool[:30],
        digest=digest,
        requests=requests,
        errors=errors,
        summarized_at=now,
    )
    # Two of one name (a long one that was cut, or a name twice in the file) are one: the first.
    figures = {(one.name, one.request): one for one in reversed(list(_figures(results)))}.values()
    Metric.objects.bulk_create(Metric(run=made, **asdict(figure)) for figure in figures)
    return made


def _close(run: TestRun, results: Sequence[Imported], requests: int, errors: int) -> None:
    limit = Limits().error_share or 0.0
    reason = ""
    if requests and errors / requests > limit:
        reason = f"{errors:,} of {requests:,} requests were errors (the limit is {limit:.0%})."
    ended = run.started_at + timedelta(seconds=_seconds(results))
    close_run(run, Status.FAILED if reason else Status.PASSED, reason=reason, now=ended)


def _workload(name: str, environment: Environment, now: datetime) -> Workload:
    project = environment.project
    found = Workload.objects.filter(project=project, name=name).first()
    if found is not None:
        return found
    return Workload.objects.create(
        project=project,
        name=name,
        definition=definition_of(project, name, now),
        environment=environment,
        description="Measured by another tool.",
        generator="",
        created_at=now,
    )


def _figures(results: Sequence[Imported]) -> Iterator[Figure]:
    """A figure of each, and of all together: told by the tool, of every measurement, or of the only one."""
    whole = [result for result in results if result.is_whole]
    for result in whole:
        yield _figure(result, name="")
    by_metric: dict[str, list[Imported]] = {}
    for result in results:
        if not result.is_whole:
            yield _figure(result)
            by_metric.setdefault(result.metric, []).append(result)
    for metric, ones in by_metric.items():
        if metric in {one.metric for one in whole}:
            continue
        values = [one.values for one in ones if one.values is not None]
        first = ones[0]
        if len(ones) == 1:
            yield _figure(first, name="")
        elif metric == "latency" and len(values) == len(ones):
            yield figure_of_values(metric, first.unit, np.concatenate(values))
        elif metric == "throughput" and "latency" in by_metric:  # rates of benchmarks are no parts of a whole
            total = sum(one.mean or 0.0 for one in ones)
            n = sum(one.n for one in ones)
            yield Figure(metric, first.unit, less_is_better=False, n=n, value=total, mean=total)
    yield from _error_shares(results)


def _figure(result: Imported, name: str | None = None) -> Figure:
    name = result.name[:200] if name is None else name
    if result.values is not None and len(result.values):
        made = figure_of_values(result.metric, result.unit, result.values, name)
        made.less_is_better = result.less_is_better
        return made
    value = result.p50 if result.p50 is not None else result.mean
    quantiles = {key: getattr(result, key) for key in ("mean", *QUANTILES)}
    made = Figure(result.metric, result.unit, name, result.less_is_better, n=result.n, value=value)
    for key, one in quantiles.items():
        setattr(made, key, one)
    return made


def _error_shares(results: Sequence[Imported]) -> Iterator[Figure]:
    timed = [one for one in results if one.metric == "latency" and one.n and not one.is_whole]
    together = [("", *_counts(results))] if any(one.metric == "latency" for one in results) else []
    for name, n, errors in [
        *((one.name[:200], one.n, one.errors) for one in timed),
        *(one for one in together if one[1]),
    ]:
        low, high = wilson_interval(errors, n) or (None, None)
        yield Figure("error_share", "share", name, n=n, value=errors / n, mean=errors / n, low=low, high=high)


def _counts(results: Sequence[Imported]) -> tuple[int, int]:
    timed = [result for result in results if result.metric == "latency"]
    timed = [result for result in timed if result.is_whole] or timed or list(results)
    return sum(result.n for result in timed), sum(result.errors for result in timed)


def _seconds(results: Sequence[Imported]) -> float:
    """How long it took, as far as rates or times tell."""
    rates = [one.n / one.mean for one in results if one.metric == "throughput" and one.mean]
    times = [(one.mean or 0.0) * one.n for one in results if one.metric == "time"]
    return float(max(rates or [sum(times)]))
