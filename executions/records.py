"""The history as flat records of test and run, as scripts know it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from access.models import Project
from executions.ingest import keep
from executions.models import Outcome, Result
from executions.reported import outcomes_of
from executions.reports.base import ReportFacts
from executions.reports.values import parse_seconds
from executions.staging import staged_list
from executions.told import Options
from tracking.models import Space


def keep_records(project: Project, records: Sequence[Any], *, now: datetime) -> None:
    """Store records, a report for each of their runs.

    Raises:
        ValueError: one of them can't be a result; nothing was stored.
    """
    for record in records:
        _demand_right(record)
    by_run: defaultdict[tuple[str, str], list[Any]] = defaultdict(list)
    for record in records:
        by_run[(record.execution_id, record.space)].append(record)
    for (execution_id, space), found in by_run.items():
        rows = [
            {"nodeid": one.entity_id, "outcome": one.status.lower(), "duration": one.duration}
            for one in found
        ]
        staged = staged_list(outcomes_of(rows), f"{now.timestamp()} {len(rows)} {rows[0]['nodeid']}")
        facts: ReportFacts = staged.facts[0]
        facts.started_at = min(_aware(one.timestamp) for one in found)
        metadata = {str(key): value for one in found for key, value in one.metadata.items()}
        options = Options(test_run_id=execution_id, space=space, triggered_by="a script", metadata=metadata)
        keep(staged, project, options, name="records", now=now)


def records_of(
    project: Project, *, entity_id: str | None = None, space: str = "", limit: int = 100
) -> Iterator[dict[str, Any]]:
    """Yield the deciding result of each test in each run, newest first."""
    rows = Result.objects.deciding().filter(set__project=project).select_related("case", "set__run")
    if entity_id is not None:
        rows = rows.filter(case__nodeid=entity_id)
    if space:
        rows = rows.filter(set__space=space)
    for row in rows.order_by("-started_at", "-set_id", "case_id")[:limit]:
        yield {
            "execution_id": row.set.run.test_run_id,
            "entity_id": row.case.nodeid,
            "entity_type": "test",
            "timestamp": row.started_at,
            "status": row.outcome_word.upper(),
            "duration": row.duration,
            "space": row.set.space,
            "metadata": row.set.run.metadata,
        }


def _demand_right(record: Any) -> None:
    words = [one.word.upper() for one in Outcome]
    if str(record.status).upper() not in words:
        raise ValueError(f"There is no status {record.status!r}; there are {', '.join(words)}.")
    if not isinstance(record.entity_id, str) or not record.entity_id.strip():
        raise ValueError("A record needs the name of its test as entity_id.")
    if record.space not in Space.values:
        raise ValueError(f"There is no space {record.space!r}; there are {', '.join(Space.values)}.")
    took = record.duration
    if took is not None and parse_seconds(took) is None:
        raise ValueError(f"A duration is a number of seconds, 0 or more, and not {took!r}.")


def _aware(at: datetime) -> datetime:
    """A time without a zone is UTC."""
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at
