"""Keep what was before a batch where people find it, or, before the next one, all there is."""

from __future__ import annotations

from pathlib import Path

from access import audit
from batches import logs
from batches.models import Batch
from batches.recording import Desk, NothingThere, next_number
from batches.stock import take_stock
from batches.workspace import LOGS


def back_up(desk: Desk, number: int, *, actor: str) -> tuple[int, Path | None]:
    """Write `backups/batch_N/`; for the batch to come, take the stock of what is there now.

    Returns: how many files were kept, and the folder where they were written to one.

    Raises:
        NothingThere: there is no such batch, and it is not the next one.
    """
    workspace = desk.workspace
    batch = Batch.objects.filter(workspace=workspace, number=number).first()
    if batch is None and number != next_number(workspace):
        raise NothingThere(f"There is no batch {number} here. `batch status` lists them.")
    if batch is None:
        kept, folder = take_stock(workspace, desk.store), None
    else:
        with desk.lock():
            kept = logs.write_backup(desk, batch)
        folder = desk.root / LOGS / "backups" / f"batch_{number}"
    audit.record(
        "batch.backup",
        actor=actor,
        project=workspace.project,
        target=batch or f"before batch {number}",
        workspace=workspace.pk,
        batch=number,
    )
    return kept, folder
