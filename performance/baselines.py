"""Which runs a workload's next ones are held against."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from access import audit
from access.models import User
from performance.models import Component, PerformanceBaseline, Workload, WorkloadRun
from performance.readings import measured

MOST_RUNS, MOST_LATER = 50, 200
ALARMED = "regressed"  # in the metadata of a run on which a gate has alarmed


class NotFit(Exception):
    """The run can't be a baseline; the message says why."""


def set_baseline(run: WorkloadRun, *, by: User | str, now: datetime) -> PerformanceBaseline:
    """Make `run` what later runs on its branch, of its component, are held against.

    Raises:
        NotFit: it did not measure its system whole.
    """
    if not measured(run):
        why = run.generator_limit or run.stopped_early or f"it ended as {run.run.status} or was left out"
        raise NotFit(f"{run} can't be a baseline: {why}. Take one that was measured whole.")
    with transaction.atomic():
        baseline, _ = PerformanceBaseline.objects.update_or_create(
            workload=run.workload,
            component=run.component,
            branch=run.run.branch,
            defaults={"run": run, "set_by": str(by)[:255], "set_at": now},
        )
        audit.record(
            "performance.baseline.set",
            actor=by,
            project=run.workload.project,
            target=run,
            workload=run.workload.name,
        )
    return baseline


def baseline_for(
    workload: Workload, *, component: Component | None = None, branch: str = ""
) -> PerformanceBaseline | None:
    """Return the baseline of that branch; else of the project's default branch; else of runs without one."""
    found = {
        one.branch: one
        for one in workload.baselines.filter(component=component).select_related("run__run", "run__component")
    }
    for name in (branch, workload.project.default_branch, ""):
        if name in found:
            return found[name]
    return next(iter(found.values())) if len(found) == 1 else None


def baseline_runs(baseline: PerformanceBaseline) -> list[WorkloadRun]:
    """Return the baseline's run and those identical to it, newest first: the more, the surer.

    Identical are runs of one calibration, and runs of the same commit and version of the load.
    """
    run = baseline.run
    alike = baseline.workload.runs.judged().filter(
        component=run.component, version=run.version, run__branch=run.run.branch
    )
    calibration = run.run.metadata.get("calibration")
    if calibration:
        alike = alike.filter(run__metadata__calibration=calibration)
    elif run.run.commit_sha:
        alike = alike.filter(run__commit_sha=run.run.commit_sha)
    else:
        return [run]
    alike = alike.exclude(pk=run.pk).for_series().select_related("run", "component").order_by("-started_at")
    return [run, *alike[: MOST_RUNS - 1]]


def runs_since(baseline: PerformanceBaseline) -> list[WorkloadRun]:
    """Return the baseline's runs and those of its branch after it on which no gate alarmed, oldest first.

    Runs made in one go share their hour; only those of other hours tell how much hours differ.
    """
    run = baseline.run
    alike = baseline_runs(baseline)
    later = baseline.workload.runs.judged().filter(
        component=run.component,
        version=run.version,
        run__branch=run.run.branch,
        started_at__gt=run.started_at,
    )
    later = later.exclude(pk__in=[one.pk for one in alike]).for_series().select_related("run", "component")
    kept = [one for one in later.order_by("-started_at")[:MOST_LATER] if ALARMED not in one.run.metadata]
    return sorted([*alike, *kept], key=lambda one: one.started_at)
