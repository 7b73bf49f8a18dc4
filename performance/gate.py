"""The quality gate: are these runs worse than the baseline, at a stated rate of false alarms?

`budget` is the share of gates over unchanged systems that may alarm.  The chance is spread over all figures
looked at (Holm), so that looking at more of them alarms no oftener.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from analysis.wording import in_words
from performance.baselines import baseline_for, baseline_runs
from performance.judging import Judged, judge_sides
from performance.models import Component, PerformanceBaseline, Workload, WorkloadRun
from performance.noise import history, identical_groups, noise_of
from performance.power import runs_needed, smallest_change
from performance.readings import HEADLINES, read_runs
from performance.verdicts import BETTER, SAME, WORSE, holm

BUDGET = 0.01
CONFIRMED = 0.05
PRIMARY = "latency.p95"
EFFECTS = (0.05, 0.1, 0.2)
PASSED, REGRESSED, UNDECIDED = "passed", "regressed", "undecided"


class NoBaseline(Exception):
    """There is nothing to hold the run against; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Gate:
    """`worse` are the figures that alarm, the worst first; `judged` all that were looked at."""

    status: str
    sentence: str
    baseline: PerformanceBaseline
    budget: float
    judged: list[Judged]
    worse: list[Judged]

    def as_json(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "answer": self.sentence,
            "baseline": self.baseline.run.run.test_run_id,
            "budget": self.budget,
            "figures": [one.as_json() for one in self.judged],
            "worse": [str(one.yardstick) for one in self.worse],
        }


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
                "would show: `--calibrate 5` makes five of them."
            )
        runs = self.needed[EFFECTS[0]]
        if runs is None:
            return (
                f"To see 5 % in {self.metric} no number of runs is enough: they differ by {self.noise:.0%}."
            )
        span = f", about {in_words(runs * self.duration)}" if self.duration else ""
        return (
            f"To see 5 % in {self.metric} you need {runs} run{'s' if runs > 1 else ''} on each side{span}; "
            f"identical runs differ by {self.noise:.1%}. One run shows {_percent(self.smallest)} or more."
        )


def judge_gate(
    head: Sequence[WorkloadRun],
    *,
    budget: float = BUDGET,
    metrics: Collection[str] = HEADLINES,
    by_request: bool = False,
) -> Gate:
    """Hold runs of one workload, component and commit against the baseline of their branch.

    Raises:
        NoBaseline: none was set, or the load has changed since.
    """
    run = head[0]
    baseline = find_baseline(run.workload, component=run.component, branch=run.run.branch)
    if baseline.run.version != run.version:
        raise NoBaseline(
            f"The load of {run.workload} is another one since its baseline (version {baseline.run.version}, "
            f"now {run.version}): make a run and set it with `workload baseline`."
        )
    own = {one.pk for one in head}
    base = [one for one in baseline_runs(baseline) if one.pk not in own]
    if not base:
        base = [baseline.run]
    judged = judge_sides(
        run.workload, base, head, metrics=metrics, by_request=by_request, sure=1 - budget, correct=holm
    )
    worse = [one for one in judged if one.verdict.verdict == WORSE and one.q <= budget]
    worse.sort(key=lambda one: one.q)
    status = REGRESSED if worse else _decided(judged)
    return Gate(status, _sentence(status, worse, judged, baseline, budget), baseline, budget, judged, worse)


def confirm_gate(first: Gate, again: Sequence[WorkloadRun]) -> Gate:
    """Hold runs made once more against the baseline: what they don't show again alarms nobody.

    They have to be worse in a figure that alarmed, at the usual 5 % and without the first runs' help.
    """
    found = judge_gate(again, budget=CONFIRMED, by_request=any(one.yardstick.request for one in first.judged))
    seen = {one.yardstick for one in found.judged if one.verdict.verdict == WORSE}
    worse = [one for one in first.worse if one.yardstick in seen]
    if worse:
        return replace(first, worse=worse)
    told = f"{first.worse[0].yardstick} was worse once, and not when it was run again ({again[-1]})."
    return replace(first, status=PASSED, worse=[], sentence=f"Not worse than the baseline: {told}")


def find_baseline(
    workload: Workload, *, component: Component | None = None, branch: str = ""
) -> PerformanceBaseline:
    """Return what runs are held against, or raise NoBaseline with what to do."""
    baseline = baseline_for(workload, component=component, branch=branch)
    if baseline is None:
        raise NoBaseline(
            f"{workload} has no baseline" + (f" for {component}" if component else "") + ". "
            "`workload baseline RUN_ID` makes one of a run."
        )
    return baseline


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


def _decided(judged: Sequence[Judged]) -> str:
    """Passed where there was an interval to judge by; what it could have missed is said beside it."""
    known = [one for one in judged if one.yardstick.name == "latency" and one.verdict.low is not None]
    return PASSED if known else UNDECIDED


def _sentence(
    status: str,
    worse: Sequence[Judged],
    judged: Sequence[Judged],
    baseline: PerformanceBaseline,
    budget: float,
) -> str:
    against = f"the baseline {baseline.run}"
    if worse:
        first = worse[0]
        more = f", and {len(worse) - 1} more figures" if len(worse) > 1 else ""
        return f"Worse than {against}: {first.yardstick} {change_in_words(first)}{more}."
    if not judged:
        return f"Nothing was measured that {against} measured too."
    if status == UNDECIDED:
        return (
            f"It can't be told whether it is worse than {against}: how much identical runs differ is not "
            "known. `workload run --calibrate 5` makes five of them."
        )
    blurred = [one for one in judged if one.verdict.is_ratio and one.verdict.verdict not in (SAME, BETTER)]
    told = f"Not worse than {against}, at one false alarm in {1 / budget:.0f} gates"
    if not blurred:
        return f"{told}."
    worst = max(blurred, key=lambda one: (one.yardstick.metric == PRIMARY, one.verdict.smallest or 0))
    seen = _percent(worst.verdict.smallest)
    return f"{told}; a change of {worst.yardstick} is seen from {seen} on."


def change_in_words(one: Judged) -> str:
    """By how much a figure changed, with its interval."""
    v = one.verdict
    if v.ratio is None or v.low is None or v.high is None:
        return "can't be told"
    if v.is_ratio:
        return f"{v.ratio - 1:+.1%} ({v.low - 1:+.1%} to {v.high - 1:+.1%})"
    return f"{100 * v.ratio:+.2f} points ({100 * v.low:+.2f} to {100 * v.high:+.2f})"


def _duration(runs: Sequence[WorkloadRun]) -> float | None:
    spans = [
        (run.run.completed_at - run.run.started_at).total_seconds()
        for run in runs[-10:]
        if run.run.completed_at
    ]
    return sum(spans) / len(spans) if spans else None


def _percent(share: float | None) -> str:
    return "an unknown change" if share is None else f"{share:.1%}"
