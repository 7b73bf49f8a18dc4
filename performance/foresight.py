"""What one more run of a workload could show, asked before it is made."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.wording import in_words
from performance.models import Component, Workload, WorkloadRun
from performance.noise import history, identical_groups, noise_of
from performance.power import runs_needed, smallest_change
from performance.readings import read_runs

EFFECTS = (0.05, 0.1, 0.2)
PRIMARY = "latency.p95"


@dataclass(frozen=True, slots=True)
class Power:
    """What runs can show, before they are made.

    `noise` is the standard deviation between identical runs as a share, of `runs` of them; `needed` maps an
    effect to runs on each side; `smallest` is the change one run against the baseline shows; None: not known.
    """

    metric: str
    runs: int
    duration: float | None
    noise: float | None = None
    smallest: float | None = None
    needed: dict[float, int | None] | None = None

    @property
    def sentence(self) -> str:
        if self.noise is None or not self.needed:
            return (
                "How much identical runs differ is not known yet, so nothing can be said of what one more "
                "would show: workload run makes five of them with --calibrate 5."
            )
        runs = self.needed[EFFECTS[0]]
        if runs is None:
            return (
                f"To see 5 % in {self.metric} no number of runs is enough: they differ by {self.noise:.0%}."
            )
        span = f", about {in_words(runs * self.duration)}" if self.duration else ""
        return (
            f"To see 5 % in {self.metric} you need {runs} run{'s' if runs > 1 else ''} on each side{span}; "
            f"identical runs differ by {self.noise:.1%}. One run shows {self.smallest or 0:.1%} or more."
        )


def power_before(workload: Workload, *, component: Component | None = None, metric: str = PRIMARY) -> Power:
    """Say what one more run could show, from the runs there are."""
    past = history(workload, component=component)
    keys = [run.pk for run in past]
    duration = _duration(past)
    readings = [one for one in read_runs(keys, [metric]).values() if one.is_ratio]
    noise = noise_of(readings[0], identical_groups(past), keys) if readings else None
    if noise is None or noise.freedom < 2:
        return Power(metric, len(past), duration)
    needed = {effect: runs_needed(effect, noise) for effect in EFFECTS}
    smallest = math.expm1(smallest_change(noise, 1, 1))
    return Power(metric, len(past), duration, math.expm1(noise.deviation), smallest, needed)


def _duration(runs: Sequence[WorkloadRun]) -> float | None:
    spans = [
        (run.run.completed_at - run.run.started_at).total_seconds()
        for run in runs[-10:]
        if run.run.completed_at
    ]
    return sum(spans) / len(spans) if spans else None
