"""Batches in lists: the table, the line from green to red, and the sentence above them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from batches.finding import last_runs, status_of
from batches.models import BatchRun, Edit
from dashboards.states import State, state

LINE = 60  # batches of the line
COLUMNS = [
    *("batch", "workspace", "status", "opened_at", "closed_at", "edits", "total_tests", "failed_tests"),
    *("duration", "suspected", "test_run_id", "git_commit"),
]
_KINDS = {"open": "planned", "untested": "queued", "rolled back": "cancelled"}
_WORDS = {"untested": "not tested"}


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A batch in a list, with its last run and the edits that are to blame."""

    batch: Any
    run: BatchRun | None
    suspects: list[Edit]

    @property
    def status(self) -> str:
        return status_of(self.batch, self.run)

    @property
    def state(self) -> State:
        return batch_state(self.status)


def batch_state(status: str) -> State:
    return state(_KINDS.get(status, status), _WORDS.get(status, status))


def rows_of(batches: Iterable[Any]) -> list[BatchRow]:
    """Rows for batches of `listed()`, in two more queries for all."""
    batches = list(batches)
    runs = last_runs(batches)
    blamed = {pk: set(run.suspicion.get("edits", [])) for pk, run in runs.items()}
    wanted = [pk for pk, positions in blamed.items() if positions]
    suspects: dict[int, list[Edit]] = {}
    for edit in Edit.objects.filter(batch__in=wanted).defer("diff").order_by("batch", "position"):
        if edit.position in blamed[edit.batch_id]:
            suspects.setdefault(edit.batch_id, []).append(edit)
    return [BatchRow(batch, runs.get(batch.pk), suspects.get(batch.pk, [])) for batch in batches]


def stream(batches: QuerySet[Any], limit: int, chunk: int = 500) -> Iterator[dict[str, Any]]:
    """Yield up to `limit` batches for a file."""
    batch: list[Any] = []
    for one in batches[:limit].iterator(chunk_size=chunk):
        batch.append(one)
        if len(batch) == chunk:
            yield from map(plain, rows_of(batch))
            batch = []
    yield from map(plain, rows_of(batch))


def plain(row: BatchRow) -> dict[str, Any]:
    run = row.run
    return {
        "batch": row.batch.number,
        "workspace": str(row.batch.workspace),
        "status": row.status,
        "opened_at": row.batch.opened_at,
        "closed_at": row.batch.closed_at,
        "edits": row.batch.edit_count,
        "total_tests": run.total_tests if run else None,
        "failed_tests": run.failed_tests if run else None,
        "duration": run.duration if run else None,
        "suspected": ", ".join(edit.path for edit in row.suspects),
        "test_run_id": run.run.test_run_id if run and run.run else None,
        "git_commit": row.batch.git_commit,
    }


def sentence(line: list[BatchRow]) -> str:
    """The answer in one sentence, from the newest batch back."""
    if not line:
        return "No edit was recorded yet."
    told = [row for row in line if row.status in {"passed", "failed", "error"}]
    if not told:
        return f"Batch {line[0].batch.number} is {batch_state(line[0].status).word}; no batch is judged yet."
    newest = told[0]
    if newest.status == "passed":
        green = next((n for n, row in enumerate(told) if row.status != "passed"), len(told))
        return f"Green: the last {green} tested batch{'es' if green > 1 else ''} passed."
    since = next((row.batch.number for row in told if row.status == "passed"), None)
    first = [row for row in told if since is None or row.batch.number > since][-1]
    text = f"Red since batch {first.batch.number}"
    if first.suspects:
        text += ": " + " and ".join(f"edit {edit.position} ({edit.path})" for edit in first.suspects[:3])
        text += " is to blame" if len(first.suspects) == 1 else " are to blame"
    return text + "."
