"""How a run that is going on is shown: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from analysis.wording import in_words
from tracking.models import TestRun, WorkflowAttempt


class LiveProgress:
    """One line per finished workflow; on a terminal a bar with what runs and waits below them."""

    def __init__(self, say: Callable[[str], None], stream: Any) -> None:
        self.say, self.told = say, set[int]()
        self.bar: Progress | None = None
        if stream.isatty():
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
            )
            self.bar = Progress(*columns, console=Console(file=stream), transient=True)

    def __enter__(self) -> LiveProgress:
        if self.bar:
            self.task = self.bar.add_task("waiting", total=None)
            self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar:
            self.bar.stop()

    def show(self, run: TestRun) -> None:
        """Tell of the workflows that ended since the last call."""
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
                reason = f" ({workflow.reason})" if workflow.reason else ""
                self._line(f"{place} {workflow} {workflow.conclusion}{times}{reason}")
        if self.bar:
            going = sum(attempt.status == "in_progress" for attempt in attempts.values())
            waiting = len(workflows) - len(self.told) - going
            text = f"{going} running, {waiting} waiting"
            self.bar.update(self.task, total=len(workflows), completed=len(self.told), description=text)

    def _line(self, text: str) -> None:
        if self.bar:
            self.bar.console.print(text, markup=False, highlight=False)
        else:
            self.say(text)


def times_of(attempt: WorkflowAttempt | None) -> str:
    """Queue and execution time of an attempt, as far as it has any."""
    if attempt is None or attempt.total is None:
        return ""
    parts = (("queue", attempt.queue), ("execution", attempt.execution))
    return "".join(f"  {name} {in_words(value)}" for name, value in parts if value is not None)
