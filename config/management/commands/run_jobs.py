"""The runner of local jobs as a process of its own; `script/server` starts one."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import OperationalError, close_old_connections
from django.utils import timezone
from structlog import get_logger

from tracking import tasks
from tracking.forgetting import forget_jobs
from tracking.models import WorkflowRun
from tracking.runner import LocalRunner

log = get_logger(__name__)
BUSY, IDLE = 0.1, 0.3  # seconds between two looks
FORGET = 3600.0  # seconds between two searches for jobs whose run is gone


class Command(BaseCommand):
    help = "Run the jobs of the local service on this machine until told to stop."

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        runner = LocalRunner(
            settings.CI_SERVICES["local"]["OPTIONS"]["folder"],
            host=socket.gethostname(),
            slots=settings.LOCAL_SLOTS,
            supervisor=os.environ.get("RUNTRAIL_SUPERVISOR", ""),
        )
        forget_at = 0.0
        while not stop.is_set():
            moved: list[str] = []
            try:
                moved = runner.tick(timezone.now())
                self.tell(moved)
                if not moved and time.monotonic() > forget_at:
                    forget_jobs(runner.folder, host=runner.host)
                    forget_at = time.monotonic() + FORGET
            except OperationalError as problem:  # locked, restarted, full: the next look may succeed
                log.warning("database_unavailable", problem=str(problem))
            close_old_connections()
            stop.wait(BUSY if moved or runner.children else IDLE)

    def tell(self, dispatch_ids: list[str]) -> None:
        """Wake a worker for each run whose jobs moved on."""
        if dispatch_ids:
            rows = WorkflowRun.objects.filter(dispatch_id__in=dispatch_ids)
            for run_pk in rows.values_list("run_id", flat=True).distinct().order_by():
                tasks.wake(run_pk)
