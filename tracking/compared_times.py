"""What a comparison measures of a run: the seconds of each of its workflows, part by part."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from analysis.comparison import Comparison, compare, compare_means, compare_pairs
from tracking.models import TestRun, WorkflowAttempt, WorkflowJob

PARTS = ("queue", "setup", "execution", "total", "retries", "lost_parallelism")
NO_SETUP = "its service tells no times of a job's set-up"
NO_TIMES = "one of the two has no measured workflows"
TOO_FEW = "too few workflows were measured"
SAME_WITHIN = 0.05
FLOOR = 0.5  # seconds that make no difference to anybody


@dataclass(slots=True)
class Measured:
    """Seconds: a value for each workflow that was measured, of `setup` one for each job.

    `retries` is the execution time of attempts that a later one replaced.  `lost_parallelism`, by the
    workflow's position, is how long after the run's start it was handed over: not side by side.
    """

    queue: list[float] = field(default_factory=list)
    setup: list[float] = field(default_factory=list)
    execution: list[float] = field(default_factory=list)
    total: list[float] = field(default_factory=list)
    retries: list[float] = field(default_factory=list)
    lost_parallelism: dict[int, float] = field(default_factory=dict)


def measure(run: TestRun) -> Measured:
    """Return what was measured of `run`, in two queries."""
    found = Measured()
    replaced: dict[int, float] = {}
    rows = WorkflowAttempt.objects.filter(workflow__run=run).order_by("workflow__position", "number")
    names = ("workflow__position", "workflow__attempt", "number", "run_started_at", "created_at")
    for position, latest, number, began, made, queue, execution, total in rows.values_list(
        *names, "queue", "execution", "total"
    ):
        ready = began or made
        if ready is not None and position not in found.lost_parallelism:
            found.lost_parallelism[position] = max((ready - run.started_at).total_seconds(), 0.0)
        if number < latest:
            replaced[position] = replaced.get(position, 0.0) + (execution or 0.0)
            continue
        for values, seconds in ((found.queue, queue), (found.execution, execution), (found.total, total)):
            if seconds is not None and total is not None:
                values.append(seconds)
        if total is not None:
            found.retries.append(replaced.get(position, 0.0))
    jobs = WorkflowJob.objects.filter(attempt__in=WorkflowAttempt.objects.filter(workflow__run=run).newest())
    told = jobs.filter(execution__isnull=False).order_by().values_list("setup", flat=True)
    found.setup = [seconds for seconds in told if seconds is not None]
    return found


def compare_part(name: str, base: Measured, head: Measured, *, seed: int) -> Comparison:
    """Compare one of `PARTS`."""
    limits = {"same_within": SAME_WITHIN, "floor": FLOOR}
    if name == "retries":  # zero for most: a median would always be zero
        return compare_means(base.retries, head.retries, seed=seed, **limits)
    if name != "lost_parallelism":
        return compare(getattr(base, name), getattr(head, name), **limits)
    before, after = base.lost_parallelism, head.lost_parallelism
    if before.keys() == after.keys():  # the same plan: each workflow against itself
        positions = sorted(before)
        return compare_pairs([before[at] for at in positions], [after[at] for at in positions], **limits)
    return compare(list(before.values()), list(after.values()), **limits)


def reason_of(name: str, found: Comparison) -> str:
    """Why a part has no interval; empty where it has one."""
    if found.low is not None:
        return ""
    if found.difference is not None:
        return TOO_FEW
    return NO_SETUP if name == "setup" else NO_TIMES


def seed_of(base: TestRun, head: TestRun) -> int:
    """The same for the same two runs, so that what is drawn by chance is drawn alike every time."""
    named = f"{base.test_run_id} {head.test_run_id}".encode()
    return int.from_bytes(hashlib.sha256(named).digest()[:8], "big")
