"""Keep what came of running tests: a run of the one history, and its place in a batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from access import audit
from batches import git
from batches.models import Batch, BatchRun, Regression
from batches.recording import Desk
from batches.runner import ModuleRun
from executions.ingest import ingest_report
from executions.outcome import finish
from tracking.identifiers import new_test_run_id
from tracking.models import TestRun
from tracking.recording import named_definition, named_environment
from tracking.tracker import create_run

# Sends reports to a server under an id, and says why it could not: then they are kept here.
Sender = Callable[[Sequence[ModuleRun], str], str]
_LONGEST_NAME = 1024  # of a test in the list of regressions


@dataclass(frozen=True)
class Made:
    """Processes that ran for a workspace, for whom, and from when to when.

    `trouble` is why they could not run to their end.
    """

    desk: Desk
    batch: Batch | None
    runs: Sequence[ModuleRun]
    trouble: str
    triggered_by: str
    started: datetime
    ended: datetime

    @property
    def reported(self) -> list[ModuleRun]:
        return [one for one in self.runs if one.is_read]

    @property
    def fault(self) -> str:
        """What no report tells: a process that crashed or was ended, or that nothing ran."""
        told = next((one.trouble for one in self.runs if one.trouble), "") or self.trouble
        return told.partition("\n")[0]

    @property
    def metadata(self) -> dict[str, Any]:
        return {"source": "batch", "batch": self.batch.number if self.batch else None}


def hand_in(made: Made, tell: Callable[[str], None], sender: Sender | None) -> tuple[str, TestRun | None]:
    """Send the reports, or store them here where there is nowhere to send them to, or it can't be done.

    Returns: the id of the run, and its row where it is stored here.
    """
    if not made.reported:
        run = _without_report(made)
        return run.test_run_id, run
    test_run_id = new_test_run_id("batch", made.started)
    unsent = sender(made.reported, test_run_id) if sender else ""
    if unsent:
        tell(f"Not sent, kept here instead: {unsent}")
    return test_run_id, _store(made, test_run_id) if unsent or not sender else None


def _store(made: Made, test_run_id: str) -> TestRun:
    """Take the reports in as one test run of the definition `batch`."""
    root = made.desk.root
    told: dict[str, Any] = {
        "project": made.desk.workspace.project,
        "test_run_id": test_run_id,
        "space": "local",
        "environment": "local",
        "definition": "batch",
        "triggered_by": made.triggered_by,
        "branch": git.branch(root),
        "commit": git.commit(root),
        "metadata": made.metadata,
        "now": made.ended,
    }
    for number, one in enumerate(made.reported, start=1):
        is_last = number == len(made.reported)
        with one.report.open("rb") as file:
            ingest_report(file, name=one.name, is_partial=bool(made.fault) or not is_last, **told)
    run = TestRun.objects.get(test_run_id=test_run_id)
    if made.fault:
        finish(run, None, trouble=made.fault, ended=made.ended, now=made.ended)
    return run


def _without_report(made: Made) -> TestRun:
    """A run of which nothing but its end is known."""
    project, root = made.desk.workspace.project, made.desk.root
    definition = named_definition(project, "batch")
    environment, _ = named_environment(project, "local")
    run = create_run(
        definition,
        environment,
        {"test_type": definition.test_type, "service": environment.service, "steps": []},
        now=made.started,
        space="local",
        triggered_by=made.triggered_by[:255],
        branch=git.branch(root)[:255],
        commit_sha=git.commit(root)[:40],
        metadata=made.metadata,
    )
    finish(run, None, trouble=made.fault, ended=made.ended, now=made.ended)
    return run


def keep(
    made: Made,
    pattern: str,
    result: dict[str, Any],
    found: Mapping[str, Any],
    test_run_id: str,
    run: TestRun | None,
) -> BatchRun:
    """Store the result and its regressions in one transaction, with who had the tests run."""
    workspace, batch = made.desk.workspace, made.batch
    with transaction.atomic():
        kept = BatchRun.objects.create(
            workspace=workspace,
            batch=batch,
            run=run,
            started_at=made.started,
            pattern=pattern,
            success=result["success"],
            trouble=made.trouble,
            total_tests=result["total_tests"],
            failed_tests=result["failed_tests"],
            duration=result["duration_seconds"],
            result=result,
        )
        audit.record(
            "batch.test",
            actor=made.triggered_by,
            project=workspace.project,
            target=f"{batch or 'tests'} of {workspace}",
            workspace=workspace.pk,
            batch=batch.number if batch else None,
            test_run_id=test_run_id,
            outcome="error" if made.trouble else "passed" if kept.success else "failed",
        )
        Regression.objects.bulk_create(_regressions(kept, found))
    return kept


def _regressions(kept: BatchRun, found: Mapping[str, Any]) -> list[Regression]:
    keys = ("new_failures", "performance_degradations", "unconfirmed")
    return [
        Regression(
            batch_run=kept,
            kind=kind,
            name=row["test_name"][:_LONGEST_NAME],
            baseline_seconds=row.get("baseline_seconds"),
            seconds=row.get("current_seconds"),
        )
        for kind, key in zip(Regression.Kind.values, keys, strict=True)
        for row in found[key]
    ]
