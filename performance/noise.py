"""How much identical runs of a workload differ, from all that is there of them."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np

from performance.models import Component, Workload, WorkloadRun
from performance.readings import Reading
from performance.verdicts import Noise, pooled

LONGEST = 200  # runs looked back


def history(
    workload: Workload,
    *,
    component: Component | None = None,
    branch: str | None = None,
    without: Collection[Any] = (),
) -> list[WorkloadRun]:
    """Return the last runs of the workload as it is now that may stand for it, oldest first.

    Of all branches, unless one is named.
    """
    runs = workload.runs.judged().filter(component=component, version=workload.version)
    if branch is not None:
        runs = runs.filter(run__branch=branch)
    runs = runs.exclude(pk__in=list(without)).for_series().order_by("-started_at")
    return list(runs[:LONGEST])[::-1]


def identical_groups(runs: Iterable[WorkloadRun]) -> list[list[Any]]:
    """Return groups of runs (primary keys) between which nothing is known to have changed.

    Runs of one calibration, and runs of one commit on one component.
    """
    groups: dict[tuple[Any, ...], list[Any]] = {}
    for run in runs:
        calibration = run.run.metadata.get("calibration")
        key: tuple[Any, ...]
        if calibration:
            key = ("calibration", str(calibration))  # anybody may send metadata, of any shape
        elif run.run.commit_sha:
            key = (run.component_id, run.run.environment_id, run.run.commit_sha)
        else:
            continue
        groups.setdefault(key, []).append(run.pk)
    return [group for group in groups.values() if len(group) > 1]


def noise_of(reading: Reading, groups: Sequence[Sequence[Any]], runs: Sequence[Any] = ()) -> Noise | None:
    """Return the spread of identical runs in this reading; None where nothing tells it.

    Where no two runs are known to be identical, neighbors in time (`runs`, in order) stand in for them:
    half the mean square of their differences, which a change inflates and never shrinks (von Neumann, 1941).
    """
    found = pooled([_scaled(reading, group) for group in groups])
    if found is None:
        values = _scaled(reading, runs)
        if len(values) > 3:
            squares = float((np.diff(values) ** 2).mean()) / 2
            found = Noise(math.sqrt(squares), max(2 * (len(values) - 1) // 3, 1))
    return found


def chance_of_errors(reading: Reading, runs: Iterable[Any]) -> Noise | None:
    """Return the spread that a share of errors has by chance alone, however equal the runs look."""
    runs = [run for run in runs if run in reading.values]
    total = sum(reading.counts.get(run, 0) for run in runs)
    if not total:
        return None
    # One error more than were seen: none in a thousand does not prove that there are none.
    share = (sum(reading.values[run] * reading.counts[run] for run in runs) + 1) / (total + 1)
    mean = total / len(runs)
    return Noise(math.sqrt(share * (1 - share) / mean), 30)


def _scaled(reading: Reading, runs: Iterable[Any]) -> np.ndarray:
    values = np.asarray(reading.of(runs), dtype=float)
    return np.log(values[values > 0]) if reading.is_ratio else values
