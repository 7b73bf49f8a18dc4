"""The rows of a list of runs: what a line shows and what its download holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import F, FloatField, Func, QuerySet, Value
from django.db.models.functions import Coalesce

from analysis.sketches import quantile_of
from dashboards.paging import Order
from tracking.models import RunTiming, TestRun, WorkflowRun


class WallSeconds(Func):
    """Seconds from start to completion, computed by the database; null while a run is going."""

    output_field = FloatField()

    def __init__(self) -> None:
        super().__init__(F("completed_at"), F("started_at"))

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        # Django's own difference calls Python once a row; at 10,000 runs that alone takes too long.
        return self.as_sql(
            compiler,
            connection,
            template="((julianday(%(expressions)s)) * 86400.0)",
            arg_joiner=") - julianday(",
        )

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(
            compiler, connection, template="extract(epoch from (%(expressions)s))::float8", arg_joiner=" - "
        )


NEWEST = (("started_at", True), ("test_run_id", True))
ORDERS = {
    "-started": Order(NEWEST),
    "started": Order(NEWEST).reversed(),
    "status": Order((("status", False), *NEWEST)),
    "-status": Order((("status", True), *NEWEST)),
    "-duration": Order((("wall", True), ("test_run_id", True))),
    "duration": Order((("wall", False), ("test_run_id", True))),
}
DEFAULT_ORDER = "-started"
# Of a download, in the order of `plain`.
COLUMNS = [
    "test_run_id",
    "id",
    "status",
    "definition",
    "environment",
    "space",
    "branch",
    "commit_sha",
    "triggered_by",
    "started_at",
    "completed_at",
    "duration",
    "workflows",
    "done",
    "failed",
    "queue_p50",
    "execution_p50",
    "queue_share",
    "reason",
]


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run with its progress and the figures of its workflows (seconds; None where there are none)."""

    run: TestRun
    workflows: int
    done: int
    bad: int
    queue_p50: float | None
    execution_p50: float | None
    queue_share: float | None


def ordered(runs: QuerySet[TestRun], sort: str) -> tuple[QuerySet[TestRun], Order]:
    """Return `runs` with the columns that `sort` needs, and the order; unknown words: newest first."""
    order = ORDERS.get(sort, ORDERS[DEFAULT_ORDER])
    if sort.lstrip("-") == "duration":
        # Null would fall out of every comparison with a cursor; a run that is going has no duration yet.
        runs = runs.annotate(wall=Coalesce(WallSeconds(), Value(-1.0)))
    return runs, order


def rows_of(runs: Iterable[TestRun]) -> list[RunRow]:
    """Return a row for each run; the runs must have their `timing` joined (one more query for all)."""
    runs = list(runs)
    progress = WorkflowRun.objects.filter(run__in=[run.pk for run in runs]).progress() if runs else {}
    return [_row(run, progress.get(run.pk, {})) for run in runs]


def plain(row: RunRow) -> dict[str, Any]:
    """Return a row for a file: snake_case keys, seconds, times in UTC."""
    run = row.run
    return {
        "test_run_id": run.test_run_id,
        "id": str(run.pk),
        "status": run.status,
        "definition": run.definition.name,
        "environment": run.environment.name,
        "space": run.space,
        "branch": run.branch,
        "commit_sha": run.commit_sha,
        "triggered_by": run.triggered_by,
        "started_at": run.started_at,
        "completed_at": run.completed_at,
        "duration": run.duration.total_seconds() if run.duration is not None else None,
        "workflows": row.workflows,
        "done": row.done,
        "failed": row.bad,
        "queue_p50": row.queue_p50,
        "execution_p50": row.execution_p50,
        "queue_share": row.queue_share,
        "reason": run.reason,
    }


def stream(runs: QuerySet[TestRun], limit: int, chunk: int = 200) -> Iterator[dict[str, Any]]:
    """Yield up to `limit` rows for a file, `chunk` at a time, so that memory stays small."""
    batch: list[TestRun] = []
    for run in runs[:limit].iterator(chunk_size=chunk):
        batch.append(run)
        if len(batch) == chunk:
            yield from map(plain, rows_of(batch))
            batch = []
    yield from map(plain, rows_of(batch))


def _row(run: TestRun, progress: dict[str, int]) -> RunRow:
    timing: RunTiming | None = getattr(run, "timing", None)
    return RunRow(
        run=run,
        workflows=progress.get("workflows", 0),
        done=progress.get("done", 0),
        bad=progress.get("bad", 0),
        queue_p50=quantile_of(bytes(timing.queue_sketch), 0.5) if timing else None,
        execution_p50=quantile_of(bytes(timing.execution_sketch), 0.5) if timing else None,
        queue_share=timing.queue_sum / timing.total_sum if timing and timing.total_sum > 0 else None,
    )
