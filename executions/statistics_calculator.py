"""Statistics of tests for scripts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from executions.execution_schema import ExecutionDatabase


@dataclass(frozen=True)
class EntityStatistics:
    """What is counted of one test in one space; rates 0 to 1, durations in seconds."""

    entity_id: str
    entity_type: str
    space: str
    total_runs: int
    passed: int
    failed: int
    skipped: int
    failure_rate: float | None
    avg_duration: float | None
    last_run: datetime | None
    last_failure: datetime | None


class StatisticsCalculator:
    """Reads the statistics that are kept with every record."""

    def __init__(self, database: ExecutionDatabase) -> None:
        self.database = database

    def calculate_all_stats(self, entity_type: str = "test", space: str = "") -> list[EntityStatistics]:
        """Count all records again, put right what differs, and return the statistics of every test."""
        from executions.execution_report import lines
        from executions.recount import recount

        list(recount(self.database.project))
        return [
            EntityStatistics(
                entity_id=line.nodeid,
                entity_type=entity_type,
                space=line.space,
                total_runs=line.runs,
                passed=line.passed,
                failed=line.failed + line.error,
                skipped=line.skipped,
                failure_rate=line.failure_rate,
                avg_duration=line.mean,
                last_run=line.last_run_at,
                last_failure=line.last_failure_at,
            )
            for line in lines(self.database.project, space=space)
        ]
