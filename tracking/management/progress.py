"""How a run that is going on is shown: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from analysis.wording import in_words
from tracking.models import TestRun, WorkflowAttempt

WELL = ("success", "neutral", "skipped")


class LiveProgress:
    """One line per finished workflow; on a terminal a bar with what runs and waits below them.

    With `detail` it also tells what Runtrail did, as the run's page does.  A reader who goes away
    (`run_tests … | head`) does not stop the run.
    """

    def __init__(self, stream: Any, *, detail: bool = False) -> None:
        self.stream, self.detail = stream, detail
        self.told, self.last_event = set[int](), 0
        self.bar: Progress | None = None
        if stream.isatty():
            columns = (
                BarColumn(bar_width=24),
                MofNCompleteColumn(),
                TextColumn("done, {task.description}"),
                TimeElapsedColumn(),
            )
            console = Console(file=getattr(stream, "_out", stream))
            self.bar = Progress(*columns, console=console, transient=True)

    def __enter__(self) -> LiveProgress:
        if self.bar:
            self.task = self.bar.add_task("nothing sent yet", total=None)
            self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar:
            self.bar.stop()

    def show(self, run: TestRun) -> None:
        """Tell of the workflows that ended since the last call."""
        if self.detail:
            self._show_events(run)
        workflows = list(run.workflow_runs.order_by("position"))
        attempts = {
            attempt.workflow_id: attempt
            for attempt in WorkflowAttempt.objects.filter(workflow__run=run).newest()
        }
        for workflow in workflows:
            if workflow.conclusion and workflow.pk not in self.told:
                self.told.add(workflow.pk)
                place = f"[{len(self.told):>{len(str(len(workflows)))}}/{len(workflows)}]"
                times = times_of(attempts.get(workflow.pk))
                reason = f"  ({workflow.reason})" if workflow.reason else ""
                self.tell(f"{place} {workflow} {workflow.conclusion}{times}{reason}")
        if self.bar:
            going = sum(attempt.status == "in_progress" for attempt in attempts.values())
            bad = sum(bool(row.conclusion) and row.conclusion not in WELL for row in workflows)
            queued = len(workflows) - len(self.told) - going
            text = f"{going} running, {queued} queued, {bad} failed"
            self.bar.update(self.task, total=len(workflows), completed=len(self.told), description=text)

    def tell(self, text: str) -> None:
        """Say a line above the bar."""
        if self.bar:
            self.bar.console.print(text, markup=False, highlight=False)
            return
        with contextlib.suppress(BrokenPipeError):
            self.stream.write(text, style_func=str)
            self.stream.flush()

    def _show_events(self, run: TestRun) -> None:
        for event in run.events.filter(pk__gt=self.last_event).order_by("pk"):
            self.last_event = event.pk
            self.tell(f"{event.at:%H:%M:%S} {event.text}")


def times_of(attempt: WorkflowAttempt | None) -> str:
    """Queue and execution time of an attempt, as far as it has any."""
    if attempt is None or attempt.total is None:
        return ""
    parts = (("queue", attempt.queue), ("execution", attempt.execution))
    return "".join(f"  {name} {in_words(value)}" for name, value in parts if value is not None)
