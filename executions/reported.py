"""Results that come as a list: stored once per key, added to their run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from executions.ingest import Conflict, keep
from executions.models import IdempotencyKey, ResultSet
from executions.outcome import finish
from executions.reports.base import CaseOutcome, Limits
from executions.reports.values import bounded, clean, short_name
from executions.staging import staged_list
from executions.told import Options
from tracking.lifecycle import settle_run
from tracking.models import TestRun

LIMITS = Limits()


def store_executions(
    run: TestRun, results: Sequence[Mapping[str, Any]], *, key: str = "", sent_by: str = "", now: datetime
) -> dict[str, Any]:
    """Add a list of results to a run; the same `key` with the same list again changes nothing.

    Args:
        results: dictionaries with `nodeid` and `outcome`, and perhaps `suite`, `duration` (seconds),
            `attempt`, `message`, `details`, `stdout`, `stderr`, `file`, `line`.

    Raises:
        Conflict: the key was used for another list.
    """
    digest = hashlib.sha256(json.dumps(list(results), sort_keys=True, default=str).encode()).hexdigest()
    if key:
        kept = IdempotencyKey.objects.filter(project=run.project, key=key[:200]).first()
        if kept is not None:
            if kept.digest != digest:
                raise Conflict(
                    "This Idempotency-Key was used for another list. Use a key of its own for each."
                )
            answer: dict[str, Any] = kept.answer
            return answer
    # Without a key every list is a report of its own, even if two are equal.
    content = digest if key else hashlib.sha256(f"{digest} {now.timestamp()}".encode()).hexdigest()
    staged = staged_list(outcomes_of(results), content)
    with transaction.atomic():
        options = Options(test_run_id=run.test_run_id, triggered_by=sent_by, is_partial=True)
        report = keep(staged, run.project, options, name="executions", now=now)
        answer = {"test_run_id": run.test_run_id, "stored": len(results), "report": report.pk}
        if key:
            IdempotencyKey.objects.create(
                project=run.project, key=key[:200], digest=digest, answer=answer, at=now
            )
    return answer


def complete(run: TestRun, *, now: datetime) -> bool:
    """End a run whose results have all come; True for the caller who ended it."""
    if run.plan.get("steps") or run.workflow_runs.exists():
        return settle_run(run, now=now)
    result_set = ResultSet.objects.filter(run=run).first()
    return finish(run, result_set, ended=max(now, run.started_at), now=now)


def outcomes_of(results: Sequence[Mapping[str, Any]]) -> list[CaseOutcome]:
    """Return the outcomes of a list, the tries of a test in order; the last one is final."""
    last: dict[tuple[str, str], int] = {}
    for position, row in enumerate(results):
        last[(row.get("suite", ""), row["nodeid"])] = position
    return [
        _outcome(row, is_final=position == last[(row.get("suite", ""), row["nodeid"])])
        for position, row in enumerate(results)
    ]


def _outcome(row: Mapping[str, Any], *, is_final: bool) -> CaseOutcome:
    texts = {"message": LIMITS.message, "details": LIMITS.details, "stdout": LIMITS.output}
    texts["stderr"] = LIMITS.output
    cut: dict[str, Any] = {name: bounded(row.get(name, ""), most) for name, most in texts.items()}
    return CaseOutcome(
        nodeid=short_name(row["nodeid"], LIMITS.name_bytes),
        outcome=row["outcome"],
        suite=short_name(row.get("suite", ""), LIMITS.suite_bytes) if row.get("suite") else "",
        duration=row.get("duration"),
        attempt=row.get("attempt") or 1,
        is_final=is_final,
        file=clean(row.get("file", ""))[:1000],
        line=row.get("line"),
        **cut,
    )
