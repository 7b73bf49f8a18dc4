"""Two groups of runs held against each other, figure by figure, with what earlier runs tell of the noise."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from analysis.comparison import benjamini_hochberg
from performance.models import Component, Workload, WorkloadRun
from performance.noise import chance_of_errors, history, identical_groups, noise_of
from performance.readings import HEADLINES, Reading, Yardstick, read_runs
from performance.verdicts import NO_PROOF, SURE, WORSE, Noise, Verdict, judge_runs

ERRORS_SAME_WITHIN = 0.002  # share of requests: two in a thousand make no difference


@dataclass(frozen=True, slots=True)
class Judged:
    """One figure, what became of it, and its p-value corrected for all that were looked at together."""

    yardstick: Yardstick
    unit: str
    less_is_better: bool
    verdict: Verdict
    q: float
    noise: Noise | None = None

    def as_json(self) -> dict[str, Any]:
        """For storing and for programs; nothing that JSON can't hold."""
        names = (
            *("before", "after", "ratio", "low", "high", "p", "delta", "smallest", "error", "freedom"),
            *("n_before", "n_after", "verdict", "reason", "is_ratio"),
        )
        told = {name: getattr(self.verdict, name) for name in names}
        where = {"metric": self.yardstick.metric, "request": self.yardstick.request}
        return {**where, "unit": self.unit, "less_is_better": self.less_is_better, **told, "q": self.q}


def judge_sides(
    workload: Workload,
    before: Sequence[WorkloadRun],
    after: Sequence[WorkloadRun],
    *,
    metrics: Collection[str] = HEADLINES,
    by_request: bool = False,
    sure: float = SURE,
    correct: Callable[[Sequence[float]], list[float]] = benjamini_hochberg,
) -> list[Judged]:
    """Judge every figure that both sides measured; nothing is proved by a run whose generator was the limit.

    Args:
        sure: the confidence of each interval.
        correct: how p-values are corrected for being looked at together: by default for the share of false
            ones among those found; `verdicts.holm` for the chance that there is any.
    """
    sides = [run.pk for run in before], [run.pk for run in after]
    components: set[Component | None] = {run.component for run in (*before, *after)}
    past = [
        run
        for component in components
        for run in history(workload, component=component, without=[*sides[0], *sides[1]])
    ]
    everything = [*sides[0], *sides[1], *(run.pk for run in past)]
    readings = read_runs(everything, metrics, by_request=by_request)
    groups = identical_groups(past)
    in_order = [run.pk for run in past] if len(components) == 1 else []
    limited = limited_runs([*before, *after])
    judged = [
        (reading, *_judge(reading, sides, groups, in_order, workload.same_within, sure, limited))
        for reading in readings.values()
        if reading.of(sides[0]) and reading.of(sides[1])
    ]
    corrected = correct([1.0 if verdict.p is None else verdict.p for _, verdict, _ in judged])
    return [
        Judged(reading.yardstick, reading.unit, reading.less_is_better, verdict, q, noise)
        for (reading, verdict, noise), q in zip(judged, corrected, strict=True)
    ]


def limited_runs(runs: Sequence[WorkloadRun]) -> list[str]:
    """Return the names of those among `runs` that measured their generator, not a target."""
    # Rows of a series come without that column, because it was asked to be empty.
    known = [one for one in runs if "generator_limit" not in one.get_deferred_fields()]
    return [str(one) for one in known if one.generator_limit]


def overall(judged: Sequence[Judged], primary: str) -> tuple[str, str]:
    """Return the verdict of the figure chosen beforehand, and the reason where there is one.

    What answers faster because it fails more is no improvement: proven worse errors decide.
    """
    by_name = {str(one.yardstick): one for one in judged}
    errors = by_name.get("error_share")
    if errors and errors.verdict.verdict == WORSE:
        return WORSE, "more requests fail"
    first = by_name.get(primary)
    if first is None:
        return NO_PROOF, f"{primary} was not measured on both sides"
    return first.verdict.verdict, first.verdict.reason


def _judge(
    reading: Reading,
    sides: tuple[list[Any], list[Any]],
    groups: list[list[Any]],
    in_order: list[Any],
    same_within: float,
    sure: float,
    limited: list[str],
) -> tuple[Verdict, Noise | None]:
    noise = noise_of(reading, groups, in_order)
    if not reading.is_ratio:
        same_within = ERRORS_SAME_WITHIN
        chance = chance_of_errors(reading, [*sides[0], *sides[1]])
        noise = max((one for one in (noise, chance) if one), key=lambda one: one.deviation, default=None)
    verdict = judge_runs(
        reading.of(sides[0]),
        reading.of(sides[1]),
        less_is_better=reading.less_is_better,
        same_within=same_within,
        noise=noise,
        is_ratio=reading.is_ratio,
        sure=sure,
    )
    if limited:
        reason = f"the generator was the limit of {', '.join(limited)}"
        verdict = replace(verdict, verdict=NO_PROOF, reason=reason)
    return verdict, noise
