"""The workflows of several runs on one axis of time that begins with each run's start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from analysis.wording import in_words
from dashboards.timeline import MOST_TICKS, STEPS, Line, draw, last_end
from tracking.models import TestRun, WorkflowAttempt, WorkflowRun

MOST = 50  # workflows that are drawn, of each run


@dataclass(frozen=True, slots=True)
class Row:
    """The workflow at one position: a line of each run, None where a run has none there."""

    position: int
    name: str
    lines: list[Line | None]

    @property
    def difference(self) -> float | None:
        """Seconds by which the last run's workflow took longer than the first's."""
        first, last = self.lines[0], self.lines[-1]
        if first is None or last is None or first.total is None or last.total is None:
            return None
        return last.total - first.total


@dataclass(frozen=True, slots=True)
class Compared:
    """Rows by position; ticks are pairs of a label, as in "30 s", and its place in percent."""

    rows: list[Row]
    ticks: list[tuple[str, float]]
    more: int  # workflows that are not drawn


def draw_together(runs: Sequence[TestRun], *, now: datetime, most: int = MOST) -> Compared:
    """Draw the first workflows of each of `runs`, in two queries a run and one for what is left out."""
    found = [_pairs(run, most) for run in runs]
    spans = [
        last_end(pairs, run.started_at, now) - run.started_at for run, pairs in zip(runs, found, strict=True)
    ]
    length = max(spans, default=timedelta(seconds=1))
    columns: list[dict[int, Line]] = []
    for run, pairs in zip(runs, found, strict=True):
        attempts = {workflow.pk: attempt for workflow, attempt in pairs if attempt}
        workflows = [workflow for workflow, _ in pairs]
        drawn = draw(workflows, attempts, start=run.started_at, now=now, end=run.started_at + length)
        columns.append({line.workflow.position: line for line in drawn.lines})
    rows = [_row(position, columns) for position in sorted(set().union(*columns))]
    beyond = WorkflowRun.objects.filter(run__in=runs, position__gt=most)
    more = beyond.order_by().values("position").distinct().count()
    return Compared(rows, _ticks(length.total_seconds()), more)


def _pairs(run: TestRun, most: int) -> list[tuple[WorkflowRun, WorkflowAttempt | None]]:
    workflows = list(run.workflow_runs.filter(position__lte=most).order_by("position"))
    rows = WorkflowAttempt.objects.filter(workflow__run=run, workflow__position__lte=most).newest()
    attempts = {attempt.workflow_id: attempt for attempt in rows}
    return [(workflow, attempts.get(workflow.pk)) for workflow in workflows]


def _row(position: int, columns: list[dict[int, Line]]) -> Row:
    lines = [column.get(position) for column in columns]
    names = [line.workflow.name for line in lines if line is not None]
    return Row(position, " / ".join(dict.fromkeys(names)), lines)


def _ticks(length: float) -> list[tuple[str, float]]:
    step = next((step for step in STEPS if length / step <= MOST_TICKS), STEPS[-1])
    moments = [at * step for at in range(MOST_TICKS + 1)]
    return [(in_words(at), round(100 * at / length, 3)) for at in moments if at <= length * 0.93]
