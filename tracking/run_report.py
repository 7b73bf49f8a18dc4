"""What a report of one run says: its end, where its time went, what failed, and against the run before."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.template.loader import render_to_string

from tracking.comparison import compare_runs
from tracking.json_text import json_text
from tracking.models import TestRun, WorkflowAttempt
from tracking.timing import METHODS, QUALITIES, time_run

SLOWEST, FAILED = 10, 50
FORMS = {"html": "text/html", "md": "text/markdown", "json": "application/json"}


def written(data: dict[str, Any], form: str) -> str:
    """Return the report in one of `FORMS`: one text that needs nothing from elsewhere."""
    if form == "json":
        return json_text(data) + "\n"
    return render_to_string(f"reports/run.{form}", {"report": data})


def report_data(run: TestRun, *, now: datetime) -> dict[str, Any]:
    """Return the report of a run as one dictionary; seconds, times in UTC."""
    times = time_run(run)
    workflows = _workflows(run)
    before = _before(run)
    return {
        "test_run_id": run.test_run_id,
        "status": run.status,
        "reason": run.reason,
        "project": run.project.slug,
        "definition": run.definition.name,
        "environment": run.environment.name,
        "branch": run.branch,
        "commit_sha": run.commit_sha,
        "triggered_by": run.triggered_by,
        "started_at": run.started_at,
        "completed_at": run.completed_at,
        "duration": run.duration_so_far(now).total_seconds(),
        "workflow_count": times.workflows,
        "completed": times.completed,
        "times": {part: _summary(getattr(times, part)) for part in ("queue", "execution", "total")},
        "queue_share": times.queue_share,
        "method": [METHODS.get(word, word) for word in times.method.split(", ") if word],
        "quality": QUALITIES.get(times.quality, times.quality),
        "failed": [row for row in workflows if row["conclusion"] not in _FINE][:FAILED],
        "slowest": sorted(workflows, key=lambda row: -(row["total"] or 0))[:SLOWEST],
        "workflows": workflows,
        "longest": max((row["total"] or 0 for row in workflows), default=0),
        "comparison": _comparison(before, run) if before else None,
        "generated_at": now,
    }


def _workflows(run: TestRun) -> list[dict[str, Any]]:
    attempts = {row.workflow_id: row for row in WorkflowAttempt.objects.filter(workflow__run=run).newest()}
    return [
        {
            "position": row.position,
            "name": row.name,
            "conclusion": row.conclusion or "running",
            "reason": row.reason,
            **{part: getattr(attempts.get(row.pk), part, None) for part in ("queue", "execution", "total")},
            "attempt": row.attempt,
            "url": row.url,
        }
        for row in run.workflow_runs.order_by("position")
    ]


_FINE = {"success", "skipped", "neutral", "running"}


def _summary(found: Any) -> dict[str, Any] | None:
    return asdict(found) if found is not None else None


def _before(run: TestRun) -> TestRun | None:
    """The run that it repeats; else the last ended one of its definition and environment before it."""
    if run.rerun_of is not None:
        return run.rerun_of
    earlier = (
        TestRun.objects.ended()
        .counted()
        .filter(definition=run.definition_id, environment=run.environment_id, started_at__lt=run.started_at)
    )
    found: TestRun | None = earlier.select_related("definition", "environment").newest_first().first()
    return found


def _comparison(before: TestRun, run: TestRun) -> dict[str, Any]:
    found = compare_runs(before, run)
    return {
        "base": before.test_run_id,
        "is_original": run.rerun_of_id == before.pk,
        "answer": found.sentence,
        "could_see": found.could_see,
        "share_of_queueing": found.share_of_queueing,
        "parts": [{"name": part.name, **part.numbers} for part in found.parts.values()],
        "differences": [{"name": name, "base": one, "head": two} for name, one, two in found.differences],
    }
