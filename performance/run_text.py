"""What the command line says of workloads and their runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from analysis.wording import in_words
from performance.figures import CORRECTED
from performance.models import Metric, Workload, WorkloadRun
from performance.wording import figure, in_short_words

_TIMES = ("p50", "p90", "p95", "p99", "p999")
_HEAD = f"{'request':24}{'n':>9}{'errors':>8}{'1/s':>9}" + "".join(
    f"{name:>10}" for name in ("p50", "p90", "p95", "p99", "p99.9")
)


def summary(run: WorkloadRun) -> Iterator[str]:
    """The run in a table; response times count from the intended time of each request."""
    metrics = list(run.metrics.all())
    yield f"Workload: {run.workload.name} (version {run.version}) on {run.run.plan.get('target', '–')}"
    if run.component:
        yield f"Component: {run.component.name}"
    yield f"Started: {run.started_at:%Y-%m-%d %H:%M:%S} UTC by {run.run.triggered_by}"
    yield f"Generator: {run.generator or run.tool}{_omission(run)}"
    yield ""
    if not metrics:
        yield "Nothing was measured."
    else:
        yield from _table(metrics)
    yield ""
    if run.stopped_early:
        yield f"Ended early: {run.stopped_early}"
    if run.generator_limit:
        yield run.generator_limit
    yield f"Status: {run.run.status}" + (f" ({run.run.reason})" if run.run.reason else "")


def as_json(run: WorkloadRun) -> dict[str, Any]:
    """The same for programs; seconds, 1/s, shares, bytes."""
    names = ("name", "request", "unit", "n", "value", "low", "high", "mean", *_TIMES, "intervals")
    return {
        "test_run_id": run.run.test_run_id,
        "workload": run.workload.name,
        "version": run.version,
        "component": run.component.name if run.component else None,
        "target": run.run.plan.get("target"),
        "status": run.run.status,
        "reason": run.run.reason,
        "started_at": run.started_at.isoformat(),
        "generator": run.generator or run.tool,
        "seed": run.seed,
        "requests": run.requests,
        "errors": run.errors,
        "stopped_early": run.stopped_early,
        "generator_limit": run.generator_limit,
        "generator_facts": run.generator_facts,
        "samples": run.samples or None,
        "metrics": [{name: getattr(metric, name) for name in names} for metric in run.metrics.all()],
    }


def list_line(workload: Workload, last: WorkloadRun | None) -> str:
    """One line of the list of workloads."""
    ended = f"{last.run.test_run_id} {last.run.status}" if last else "never run"
    return f"{workload.name:24}{workload.generator:11}{workload.target:40} {ended}"


def list_json(workload: Workload, last: WorkloadRun | None) -> dict[str, Any]:
    return {
        "name": workload.name,
        "description": workload.description,
        "environment": workload.environment.name,
        "target": workload.target,
        "generator": workload.generator,
        "version": workload.version,
        "last_run": last.run.test_run_id if last else None,
        "last_status": last.run.status if last else None,
    }


def progress_line(progress: dict[str, Any]) -> str:
    """What the generator said last, in one line."""
    at, planned = progress["at"], progress.get("seconds")
    of = f" of {in_words(planned)}" if planned and at <= planned else ""
    late = ", all sent, waiting for answers" if planned and at > planned else ""
    parts = [
        f"{in_words(at)}{of}{late}",
        "warming up" if progress.get("is_warmup") else f"{progress['requests']:,} requests",
        f"{progress['errors']:,} errors",
        f"{progress['rate']:,.0f} 1/s",
        f"p50 {in_short_words(progress.get('p50'))}",
        f"p95 {in_short_words(progress.get('p95'))}",
        f"{progress['in_flight']} in flight",
    ]
    return ", ".join(parts)


def _table(metrics: list[Metric]) -> Iterator[str]:
    by_request: dict[str, dict[str, Metric]] = {}
    for metric in metrics:
        by_request.setdefault(metric.request, {})[metric.name] = metric
    yield _HEAD
    for request in sorted(by_request, key=lambda name: (name != "", name)):
        yield _row(request or "all requests", by_request[request])
    whole = by_request.get("", {})
    if (latency := whole.get("latency")) and latency.intervals:
        told = [
            f"{key.replace('p999', 'p99.9')} {in_short_words(low)} to {in_short_words(high)}"
            for key, (low, high) in latency.intervals.items()
        ]
        yield f"95 % intervals: {', '.join(told)}"
    yield from _corrected(whole.get(CORRECTED))
    shares = [metric for name, metric in whole.items() if name.startswith("component_share:")]
    for metric in sorted(shares, key=lambda one: -(one.value or 0)):
        times = whole.get(metric.name.replace("component_share:", "component:"))
        name, median = metric.name.removeprefix("component_share:"), figure(times.p50 if times else None, "s")
        yield f"  {name}: {figure(metric.value, 'share')} of the response time, p50 {median}"


def _row(name: str, metrics: dict[str, Metric]) -> str:
    latency, errors, rate = (metrics.get(key) for key in ("latency", "error_share", "throughput"))
    latency = latency or metrics.get("time")  # a benchmark has repetitions, and no requests
    counted = errors or latency or rate
    n = counted.n if counted else 0
    bad = round((errors.value or 0) * n) if errors else 0
    shown = f"{rate.value:,.1f}" if rate and rate.value is not None else "–"
    times = "".join(f"{in_short_words(getattr(latency, key, None)):>10}" for key in _TIMES)
    return f"{name[:23]:24}{n:>9,}{bad:>8,}{shown:>9}{times}"


def _omission(run: WorkloadRun) -> str:
    told = run.generator_facts.get("coordinated_omission", "")
    return f"; coordinated omission {told}" if told else ""


def _corrected(metric: Metric | None) -> Iterator[str]:
    if metric is not None:
        told = ", ".join(
            f"{key.replace('p999', 'p99.9')} {in_short_words(value)}"
            for key in _TIMES
            if (value := getattr(metric, key)) is not None
        )
        yield f"Estimated with the requests that waiting users did not send: {told}"
