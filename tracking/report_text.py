"""What the command line says of a run; the labels are those of the tracking system's first document."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from analysis.quantiles import Summary
from analysis.wording import in_words
from tracking.models import TestRun
from tracking.timing import METHODS, QUALITIES, RunTimes

RULE = 60
FEW = 100  # measurements; below, a p99 is little more than the greatest of them


def list_entry(run: TestRun, workflows: int, now: datetime) -> list[str]:
    """The four lines of one run in the list of runs."""
    return [
        f"ID: {run.test_run_id}",
        f"  Type: {run.test_type}",
        f"  Time: {_moment(run.started_at)}",
        f"  Duration: {run.duration_so_far(now).total_seconds() / 60:.1f} minutes",
        f"  Workflows: {workflows}",
        "",
    ]


def list_json(run: TestRun, workflows: int, now: datetime) -> dict[str, Any]:
    """The same for programs."""
    return {
        "test_run_id": run.test_run_id,
        "test_type": run.test_type,
        "environment": run.environment.name,
        "status": run.status,
        "start_time": _moment(run.started_at),
        "duration_minutes": round(run.duration_so_far(now).total_seconds() / 60, 2),
        "workflow_count": workflows,
    }


def analysis(run: TestRun, times: RunTimes, *, tags: list[tuple[str, str]], now: datetime) -> Iterator[str]:
    """The whole analysis; `tags` pairs each workflow that was sent with the tag seen on it."""
    yield f"Analyzing test run: {run.test_run_id}"
    yield f"Test type: {run.test_type}"
    yield f"Start time: {_moment(run.started_at)}"
    yield f"Duration: {run.duration_so_far(now).total_seconds() / 60:.1f} minutes"
    yield f"Expected workflows: {times.workflows}"
    yield "-" * RULE
    yield f"Looking for workflows tagged with job_name: {run.test_run_id}"
    found = sum(tag == run.test_run_id for _, tag in tags)
    yield f"Found {found} workflows from this test run"
    yield from _strays(run, tags)
    yield ""
    yield from summary(run, times)


def summary(run: TestRun, times: RunTimes) -> Iterator[str]:
    """The block of averages, then the same in full."""
    yield "📊 METRICS SUMMARY"
    yield "-" * 40
    yield f"Workflows completed: {times.completed}/{times.workflows}"
    yield f"Average Queue Time:     {_minutes(times.queue)}"
    yield f"Average Execution Time: {_minutes(times.execution)}"
    yield f"Average Total Time:     {_minutes(times.total)}"
    share = "n/a" if times.queue_share is None else f"{times.queue_share:.0%} of total"
    yield f"Queue Impact:           {share}"
    yield ""
    yield from _table(times)
    yield f"Status: {run.status}" + (f" ({run.reason})" if run.reason else "")


def as_json(run: TestRun, times: RunTimes, *, tags: list[tuple[str, str]] | None = None) -> dict[str, Any]:
    """The same for programs; seconds, null for what did not happen or can't be seen."""
    strays = [{"workflow": name, "tag": tag or None} for name, tag in tags or [] if tag != run.test_run_id]
    parts = {"queue": times.queue, "execution": times.execution, "total": times.total}
    return {
        "test_run_id": run.test_run_id,
        "test_type": run.test_type,
        "environment": run.environment.name,
        "status": run.status,
        "reason": run.reason,
        "workflows": {"total": times.workflows, "completed": times.completed},
        **{name: _summary_json(part, times.quality) for name, part in parts.items()},
        "queue_share": times.queue_share,
        **({} if tags is None else {"found": len(tags) - len(strays), "other_tags": strays}),
    }


def _table(times: RunTimes) -> Iterator[str]:
    yield f"{'':<10} {'n':>6} {'mean':>10} {'p50':>10} {'p95':>10} {'p99':>10}"
    for name, part in (("queue", times.queue), ("execution", times.execution), ("total", times.total)):
        if part is None:
            yield f"{name:<10} {0:>6} {'n/a':>10} {'n/a':>10} {'n/a':>10} {'n/a':>10}"
        else:
            shown = " ".join(f"{in_words(value):>10}" for value in (part.mean, part.p50, part.p95, part.p99))
            yield f"{name:<10} {part.n:>6} {shown}"
    if times.method:
        methods = ", ".join(METHODS.get(method, method) for method in times.method.split(", "))
        yield f"Obtained from: {methods}; quality: {times.quality} ({QUALITIES.get(times.quality, '')})"
    if times.total and times.total.n < FEW:
        yield f"With n below {FEW}, p99 is little more than the slowest workflow."
    yield ""


def _strays(run: TestRun, tags: list[tuple[str, str]]) -> Iterator[str]:
    for name, tag in tags:
        if not tag:
            yield f"  {name}: its tag can't be seen, so nothing proves that it belongs to this run"
        elif tag != run.test_run_id:
            yield f"  {name}: shows job_name {tag!r} instead of {run.test_run_id}"


def _summary_json(part: Summary | None, quality: str) -> dict[str, Any] | None:
    if part is None:
        return None
    numbers = {"n": part.n, "mean": part.mean, "p50": part.p50, "p95": part.p95, "p99": part.p99}
    return {**numbers, "unit": "s", "quality": quality}


def _minutes(part: Summary | None) -> str:
    return "n/a" if part is None else f"{part.mean / 60:.1f} minutes"


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
