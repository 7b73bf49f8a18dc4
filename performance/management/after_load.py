"""What follows a load that has been counted: each step for itself, so that one that fails stops no other."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import structlog

from performance.models import WorkloadRun

log = structlog.get_logger(__name__)

STEPS: list[Callable[[WorkloadRun], object]] = []


def after_load(run_pk: str | UUID) -> None:
    """Do what is to be done once a run has its figures; nothing where it has none."""
    run = WorkloadRun.objects.for_driving().filter(run__pk=run_pk).first()
    if run is None or run.summarized_at is None or run.run.is_running:
        return
    for step in STEPS:
        try:
            step(run)
        except Exception:
            log.exception("step_after_load_failed", run=str(run), step=step.__name__)
