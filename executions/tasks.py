"""Doors from Celery about results."""

from __future__ import annotations

from celery import shared_task
from django.core.files.storage import storages
from django.utils import timezone

from executions.recount import forget_runs
from tracking.retention import prune


@shared_task
def prune_runs() -> int:
    """Apply the retention policies; return how many runs went."""
    gone = prune(timezone.now(), storage=storages["artifacts"], forget=forget_runs)
    return sum(1 for _ in gone)
