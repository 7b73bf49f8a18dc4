"""Components under the same workload, in turn, so that what drifts meanwhile touches all of them alike.

A round has one run of each component, in an order drawn anew, all with the same arrivals.  Every turn is a
row, so that a comparison that was interrupted goes on with the turn that is missing.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from access import audit
from access.models import User
from performance.models import Comparison, ComparisonRun, Component, Workload, WorkloadRun
from performance.ranking import rank_components
from performance.readings import HEADLINES, measured, read_runs

ROUNDS, MOST_ROUNDS = 5, 100
PRIMARY = "latency.p95"
Status = Comparison.Status
Start = Callable[..., WorkloadRun]  # `trigger.start_workload_run`


class NotComparable(Exception):
    """These can't be compared; the message says why."""


def start_comparison(
    workload: Workload,
    components: Sequence[Component],
    *,
    rounds: int = ROUNDS,
    by: User | str,
    now: datetime,
    seed: int | None = None,
) -> Comparison:
    """Plan a comparison of two or more components of `workload`; no load is put on anything yet.

    Raises:
        NotComparable: nothing was stored.
    """
    chosen = {one.pk: one for one in components}
    if len(chosen) < 2:
        raise NotComparable(
            f"A comparison needs two components or more of {workload}; there are: {_names(workload)}."
        )
    if any(one.workload_id != workload.pk for one in components):
        raise NotComparable(f"All components must be of {workload}, whose are: {_names(workload)}.")
    if not 1 <= rounds <= MOST_ROUNDS:
        raise NotComparable(f"A comparison has 1 to {MOST_ROUNDS} rounds, not {rounds}.")
    with transaction.atomic():
        comparison = Comparison.objects.create(
            workload=workload,
            rounds=rounds,
            seed=random.SystemRandom().getrandbits(31) if seed is None else seed,
            created_by=str(by)[:255],
            created_at=now,
        )
        comparison.components.set(chosen.values())
        audit.record(
            "performance.comparison.start",
            actor=by,
            project=workload.project,
            target=comparison,
            rounds=rounds,
        )
    return comparison


def order_of(comparison: Comparison, number: int) -> list[Component]:
    """Return who runs in round `number` (from 1), first to last; always the same for the same comparison."""
    components = sorted(comparison.components.all(), key=lambda one: one.pk)
    random.Random(f"{comparison.seed}:{number}").shuffle(components)  # noqa: S311 - no secret
    return components


def next_turn(comparison: Comparison, *, start: Start, now: datetime, driver: str = "") -> WorkloadRun | None:
    """Start the run whose turn it is; None while one goes on, and when nothing is left to do.

    A turn that measured nothing is had again once.  When the last one has ended the comparison is judged.
    """
    with transaction.atomic():
        comparison = Comparison.objects.select_for_update().get(pk=comparison.pk)
        if comparison.status != Status.RUNNING:
            return None
        turns = {
            (turn.round, turn.component_id): turn
            for turn in comparison.turns.select_related("run__run", "component")
        }
        if any(turn.run.run.is_running for turn in turns.values()):
            return None
        for number in range(1, comparison.rounds + 1):
            for component in order_of(comparison, number):
                turn = turns.get((number, component.pk))
                if turn is None or _is_to_be_had_again(turn):
                    return _start(comparison, number, component, turn, start=start, now=now, driver=driver)
        judge_comparison(comparison, now=now)
    return None


def judge_comparison(comparison: Comparison, *, now: datetime) -> dict[str, Any]:
    """Rank what was measured and close the comparison; safe to repeat."""
    turns = list(comparison.turns.select_related("run__run", "component"))
    fit = [turn for turn in turns if measured(turn.run)]
    readings = read_runs([turn.run_id for turn in fit], HEADLINES)
    table = {
        str(reading.yardstick): {
            (turn.component.name, turn.round): reading.values[turn.run_id]
            for turn in fit
            if turn.run_id in reading.values
        }
        for reading in readings.values()
    }
    components = list(comparison.components.all())
    comparison.result = {
        **rank_components(components, table, primary=PRIMARY, same_within=comparison.workload.same_within),
        "left_out": [
            {
                "component": turn.component.name,
                "round": turn.round,
                "run": str(turn.run),
                "reason": _why(turn.run),
            }
            for turn in turns
            if turn not in fit
        ],
    }
    ranked = comparison.result["ranking"]
    comparison.status = Status.DONE if ranked else Status.FAILED
    comparison.reason = "" if ranked else "No run of any component was measured whole."
    comparison.completed_at = now
    comparison.save(update_fields=["result", "status", "reason", "completed_at"])
    return comparison.result


def cancel_comparison(comparison: Comparison, *, by: User | str, now: datetime) -> bool:
    """Start no more turns; True for the first who asked. The run that goes on is cancelled by itself."""
    won = Comparison.objects.filter(pk=comparison.pk, status=Status.RUNNING).update(
        status=Status.CANCELLED, reason=f"Cancelled by {by}.", completed_at=now
    )
    if won:
        audit.record(
            "performance.comparison.cancel", actor=by, project=comparison.workload.project, target=comparison
        )
    return bool(won)


def fail_comparison(comparison: Comparison, reason: str, *, now: datetime) -> None:
    """It can't go on: what was measured stays."""
    Comparison.objects.filter(pk=comparison.pk, status=Status.RUNNING).update(
        status=Status.FAILED, reason=reason, completed_at=now
    )


def turns_left(comparison: Comparison) -> int:
    """How many runs are still to be made."""
    had = comparison.turns.exclude(run__run__status="running").count()
    return max(comparison.rounds * comparison.components.count() - had, 0)


def _start(
    comparison: Comparison,
    number: int,
    component: Component,
    turn: ComparisonRun | None,
    *,
    start: Start,
    now: datetime,
    driver: str,
) -> WorkloadRun:
    run = start(
        comparison.workload,
        component=component,
        purpose=WorkloadRun.Purpose.COMPARISON,
        seed=comparison.seed + number,
        triggered_by=comparison.created_by,
        metadata={"comparison": str(comparison.pk), "round": number, "again": turn is not None},
        now=now,
        driver=driver,
    )
    if turn is None:
        ComparisonRun.objects.create(comparison=comparison, component=component, round=number, run=run)
    else:
        turn.run = run
        turn.save(update_fields=["run"])
    return run


def _is_to_be_had_again(turn: ComparisonRun) -> bool:
    return not measured(turn.run) and not turn.run.run.metadata.get("again")


def _why(run: WorkloadRun) -> str:
    return run.generator_limit or run.stopped_early or run.run.reason or f"it ended as {run.run.status}"


def _names(workload: Workload) -> str:
    return ", ".join(workload.components.values_list("name", flat=True)) or "none yet"
