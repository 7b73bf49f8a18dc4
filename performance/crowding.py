"""Whether runs can be trusted: was the machine busy with other work, was the generator late?

What the sampler saw during a load (`sources.host`) is held against what the runs before saw: a database that
works for a local target is there in both, a neighbor's build only in one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis import columns
from performance.models import Metric, MetricSeries, WorkloadRun
from performance.sources.host_samples import FIELDS

MOST_BASE = 10  # runs of the baseline that are looked at, the latest
MORE = 0.15  # share of the machine that others took beyond what is usual
MUCH = 0.3  # share of the machine that others took, where nothing usual is known
FULL, MOST = 0.9, 0.5  # share of the machine in use, and by others
LATE, LATE_PART = 0.005, 0.2  # seconds; and share of the 95 % response time
NAMES = {name: FIELDS[name].title for name in ("cpu", "generator", "target")}
HOST = "host"


@dataclass(frozen=True, slots=True)
class Machine:
    """How the machine of the generator was used during `run` (its public name).

    `limit` is why the generator was the limit, empty where it was not.  `busy` and `others` are shares of
    all `cores`, 0 to 1, None where nobody looked; `others` is what neither the generator nor the target's
    own process used.  `late` is the 99th percentile of how far behind its intended time a request was sent,
    `p95` the 95 % response time, in seconds.
    """

    run: str
    cores: int = 0
    busy: float | None = None
    others: float | None = None
    late: float | None = None
    limit: str = ""
    p95: float | None = None


def machines_of(runs: Sequence[WorkloadRun]) -> list[Machine]:
    """Return how the machine was used during each run, in their order; in three queries."""
    named = [run.pk for run in runs]
    rows = MetricSeries.objects.measured().filter(run__in=named, source=HOST, name__in=NAMES.values())
    means: dict[tuple[Any, str], float] = {}
    for run, name, values in rows.values_list("run_id", "name", "values"):
        known = columns.unpack(values)
        known = known[np.isfinite(known)]
        if len(known):
            means[run, name] = float(known.mean())
    wanted = ("pk", "run__test_run_id", "generator_facts", "generator_limit")
    facts = {row["pk"]: row for row in WorkloadRun.objects.filter(pk__in=named).values(*wanted)}
    p95 = dict(Metric.objects.filter(run__in=named, name="latency", request="").values_list("run_id", "p95"))
    return [
        _machine(facts[pk], {name: means.get((pk, title)) for name, title in NAMES.items()}, p95.get(pk))
        for pk in named
    ]


def warnings_of(head: Sequence[WorkloadRun], base: Sequence[WorkloadRun]) -> list[str]:
    """Return what speaks against trusting runs `head`, a sentence each, with figures.

    Args:
        base: runs that tell what is usual, oldest first.
    """
    own = {run.pk for run in head}
    recent = [one for one in base if one.pk not in own][-MOST_BASE:]
    known = machines_of([*head, *recent])
    usual = [one.others for one in known[len(head) :] if one.others is not None]
    middle = float(np.median(usual)) if usual else None
    told = [text for one in known[: len(head)] for text in (_limited(one), _crowded(one, middle), _late(one))]
    return [text for text in told if text]


def _machine(row: dict[str, Any], means: dict[str, float | None], p95: float | None) -> Machine:
    facts = row["generator_facts"] or {}
    cores = int(facts.get("cores") or 0)
    late = (facts.get("late") or {}).get("p99")
    busy = means["cpu"]
    others = None
    if busy is not None and cores:
        own = (means["generator"] or 0.0) + (means["target"] or 0.0)
        others = max(busy - own / cores, 0.0)
    return Machine(
        run=row["run__test_run_id"],
        cores=cores,
        busy=busy,
        others=others,
        late=None if late is None else float(late),
        limit=row["generator_limit"],
        p95=p95,
    )


def _limited(one: Machine) -> str:
    return f"{one.run}: the generator, not the target, was the limit. {one.limit}" if one.limit else ""


def _crowded(one: Machine, usual: float | None) -> str:
    if one.others is None or one.busy is None:
        return ""
    is_full = one.busy >= FULL and one.others >= MOST  # then it matters however usual it is
    if not is_full and one.others < (MUCH if usual is None else usual + MORE):
        return ""
    before = "" if usual is None else f" (usually {usual * one.cores:.2g})"
    return (
        f"{one.run}: the machine was busy with other work. It took {one.others * one.cores:.2g} of "
        f"{one.cores} cores{before}; all together used {one.busy:.0%} of the machine."
    )


def _late(one: Machine) -> str:
    if one.limit or one.late is None or one.late < LATE:
        return ""
    if one.p95 is not None and one.late < LATE_PART * one.p95:
        return ""
    against = "" if one.p95 is None else f", while 95 % of the answers took up to {one.p95 * 1000:.3g} ms"
    return (
        f"{one.run}: one request in a hundred was sent {one.late * 1000:.3g} ms late or more{against}; "
        "lateness counts in response times."
    )
