"""The quality gate: are these runs worse than the baseline, at a stated rate of false alarms?

`budget` is the share of gates over unchanged systems that may alarm.  The chance is spread over all figures
looked at (Holm), so that looking at more of them alarms no oftener.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from analysis.gates import FEWEST_HISTORY, FEWEST_NEW, Figure, decide
from performance.baselines import ALARMED, baseline_for, runs_since
from performance.crowding import warnings_of
from performance.judging import ERRORS_SAME_WITHIN, Judged, judge_sides, limited_runs
from performance.models import Component, PerformanceBaseline, Workload, WorkloadRun
from performance.readings import HEADLINES, TIME, Yardstick, read_runs
from performance.verdicts import BETTER, SAME, WORSE, holm
from tracking.models import TestRun
from tracking.tracker import note

BUDGET = 0.01
CONFIRMED = 0.05
PRIMARY = "latency.p95"
MAIN = ("latency", TIME)  # of loads and of benchmarks: without one of these nothing is decided
EFFECTS = (0.05, 0.1, 0.2)
PASSED, REGRESSED, UNDECIDED = "passed", "regressed", "undecided"


class NoBaseline(Exception):
    """There is nothing to hold the run against; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Gate:
    """`worse` are the figures that alarm, the worst first; `judged` all that were looked at.

    `warnings` say with figures why the runs may not tell of their target: a busy machine, a late generator.
    """

    status: str
    sentence: str
    baseline: PerformanceBaseline
    budget: float
    judged: list[Judged]
    worse: list[Judged]
    head: Sequence[WorkloadRun] = ()
    base: Sequence[WorkloadRun] = ()
    warnings: Sequence[str] = ()

    @property
    def runs_to_confirm(self) -> int:
        """How many runs more decide whether what is worse is worse again."""
        return max(FEWEST_NEW - len(self.head), 1) if len(self.base) >= FEWEST_HISTORY else 1

    def as_json(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "answer": self.sentence,
            "baseline": self.baseline.run.run.test_run_id,
            "budget": self.budget,
            "warnings": list(self.warnings),
            "figures": [one.as_json() for one in self.judged],
            "worse": [str(one.yardstick) for one in self.worse],
        }


def judge_gate(
    head: Sequence[WorkloadRun],
    *,
    budget: float = BUDGET,
    metrics: Collection[str] = HEADLINES,
    by_request: bool = False,
    without: Sequence[WorkloadRun] = (),
) -> Gate:
    """Hold runs of one workload, component and commit against the baseline of their branch.

    `without` are runs that tell nothing of what is usual, because they are in doubt themselves.

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
    own = {one.pk for one in (*head, *without)}
    base = [one for one in runs_since(baseline) if one.pk not in own]
    if not base:
        base = [baseline.run]
    judged = judge_sides(
        run.workload, base, head, metrics=metrics, by_request=by_request, sure=1 - budget, correct=holm
    )
    worse = [one for one in judged if one.verdict.verdict == WORSE and one.q <= budget]
    worse.sort(key=lambda one: one.q)
    limited = limited_runs(head)
    status = REGRESSED if worse else UNDECIDED if limited else _decided(judged)
    sentence = _sentence(status, worse, judged, baseline, budget, limited)
    warnings = warnings_of(head, base)
    return Gate(status, sentence, baseline, budget, judged, worse, head, base, warnings)


def confirm_gate(first: Gate, again: Sequence[WorkloadRun]) -> Gate:
    """Hold runs made once more against the baseline: what they don't show again alarms nobody.

    With ten runs of the baseline or more, the middle of all new runs is held against them
    (`analysis.gates`, which heeds that neighbors in time resemble each other).  With fewer, the runs made
    again have to be worse in a figure that alarmed, at the usual 5 % and without the first ones' help.
    """
    runs = [*first.head, *again]
    if len(first.base) >= FEWEST_HISTORY and len(runs) >= FEWEST_NEW:
        seen = _worse_in_the_middle(first, runs)
    else:
        by_request = any(one.yardstick.request for one in first.judged)
        found = judge_gate(again, budget=CONFIRMED, by_request=by_request, without=first.head)
        seen = {one.yardstick for one in found.judged if one.verdict.verdict == WORSE}
    worse = [one for one in first.worse if one.yardstick in seen]
    first = replace(first, warnings=warnings_of(runs, first.base))
    if worse:
        return replace(first, worse=worse, head=runs)
    told = f"{first.worse[0].yardstick} was worse once, and not when it was run again ({again[-1]})."
    return replace(first, status=PASSED, worse=[], head=runs, sentence=f"Not worse than the baseline: {told}")


def _worse_in_the_middle(first: Gate, runs: Sequence[WorkloadRun]) -> set[Yardstick]:
    base, head = [run.pk for run in first.base], [run.pk for run in runs]
    metrics = {one.yardstick.metric for one in first.judged}
    readings = read_runs(
        [*base, *head], metrics, by_request=any(one.yardstick.request for one in first.judged)
    )
    looked_at = [reading for one in first.judged if (reading := readings.get(one.yardstick))]
    figures = [
        Figure(
            str(reading.yardstick),
            reading.of(base),
            reading.of(head),
            reading.less_is_better,
            0.0 if reading.is_ratio else ERRORS_SAME_WITHIN,
        )
        for reading in looked_at
    ]
    same_within = first.baseline.workload.same_within
    names = {one.name for one in decide(figures, budget=first.budget, same_within=same_within).regressed}
    return {reading.yardstick for reading in looked_at if str(reading.yardstick) in names}


def note_alarm(gate: Gate, now: datetime) -> None:
    """Write down that the gate alarmed on its runs; they no longer tell what is usual."""
    for one in gate.head if gate.worse else ():
        run = TestRun.objects.get(pk=one.pk)
        if ALARMED in run.metadata:
            continue
        run.metadata = {**run.metadata, ALARMED: [str(figure.yardstick) for figure in gate.worse]}
        run.save(update_fields=["metadata"])
        note(run, "gate", gate.sentence, now)


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


def _decided(judged: Sequence[Judged]) -> str:
    """Passed where there was an interval to judge by; what it could have missed is said beside it."""
    known = [one for one in judged if one.yardstick.name in MAIN and one.verdict.low is not None]
    return PASSED if known else UNDECIDED


def _sentence(
    status: str,
    worse: Sequence[Judged],
    judged: Sequence[Judged],
    baseline: PerformanceBaseline,
    budget: float,
    limited: Sequence[str],
) -> str:
    against = f"the baseline {baseline.run}"
    if worse:
        first = worse[0]
        more = f", and {len(worse) - 1} more figures" if len(worse) > 1 else ""
        return f"Worse than {against}: {first.yardstick} {change_in_words(first)}{more}."
    if not judged:
        return f"Nothing was measured that {against} measured too."
    if limited:
        return (
            f"No proof that it is worse than {against}, or not: the generator was the limit of "
            f"{', '.join(limited)}. Make the run again on a quieter machine."
        )
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


def _percent(share: float | None) -> str:
    return "an unknown change" if share is None else f"{share:.1%}"
