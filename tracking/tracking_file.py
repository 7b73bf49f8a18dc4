"""The tracking file of a run: what was sent under which tag, for scripts that read files."""

from __future__ import annotations

import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tracking.models import TestRun, WorkflowJob


def path_of(run: TestRun, data: Path) -> Path:
    """Return where the file of `run` lies: one folder per environment, in its hyphen form."""
    return Path(data) / "test_results" / run.environment.name / "tracking" / f"{run.test_run_id}.json"


def tracking_data(run: TestRun, now: datetime) -> dict[str, Any]:
    """Return the content of the file; times are naive UTC to the second, as its readers expect.

    `workflow_ids` and `workflow_names` pair by position.  An id is GitHub's, or on the local service the
    number of the job; it is null until the workflow was sent.
    """
    local_ids = dict(
        WorkflowJob.objects.filter(
            attempt__workflow__run=run, attempt__workflow__service="local"
        ).values_list("attempt__workflow_id", "job_id")
    )
    workflows = list(run.workflow_runs.order_by("position").values_list("pk", "name", "github_run_id"))
    return {
        "test_run_id": run.test_run_id,
        "test_type": run.test_type,
        "environment": run.environment.name,
        "start_time": _naive(run.started_at),
        "end_time": _naive(run.completed_at),
        "duration_minutes": _minutes(run.duration_so_far(now).total_seconds()),
        "workflow_count": len(workflows),
        "workflow_ids": [
            github_run_id or local_ids.get(pk) or run.fetched_run_id for pk, _, github_run_id in workflows
        ],
        "workflow_names": [name for _, name, _ in workflows],
        "metadata": {
            "job_name_tag": run.test_run_id,
            "query_hint": f"Search for workflows with job_name={run.test_run_id}",
            "project": run.project.slug,
            "status": run.status,
            **({"rerun_of": run.rerun_of.test_run_id} if run.rerun_of else {}),
        },
    }


def content(run: TestRun, now: datetime) -> str:
    """Return the exact text of the file."""
    return json.dumps(tracking_data(run, now), indent=4) + "\n"


def write(run: TestRun, data: Path, now: datetime) -> Path:
    """Write the file of `run` whole or not at all; return its path.

    Raises:
        OSError: it can't be written; what was there before is still there.
    """
    path = path_of(run, data)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        with draft.open("w", encoding="utf-8") as file:
            file.write(content(run, now))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return path


def _naive(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S") if moment else None


def _minutes(seconds: float) -> float | int:
    minutes = round(seconds / 60, 2)
    return int(minutes) if minutes.is_integer() else minutes
