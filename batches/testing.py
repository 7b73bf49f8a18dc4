"""Run the tests of a workspace, keep the results as a test run, and hold them against the baseline."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from batches import git, logs
from batches.copies import Search
from batches.models import Batch, BatchBaseline, BatchRun, Regression
from batches.recording import Desk
from batches.regressions import Rule, compare
from batches.results import build_result
from batches.runner import ModuleRun, Plan, run_named, run_suite
from executions.ingest import ingest_report
from tracking.identifiers import new_test_run_id
from tracking.models import TestRun

# Sends reports to a server under an id, and says why it could not: then they are kept here.
Sender = Callable[[Sequence[ModuleRun], str], str]
EARLIER = 20  # runs that say how long a test usually takes
EMPTY: dict[str, Any] = {"new_failures": [], "performance_degradations": [], "unconfirmed": []}


@dataclass(frozen=True)
class Tested:
    """What came of running the tests; `trouble` is why they could not run to their end."""

    batch_run: BatchRun
    regressions: Mapping[str, Any]
    trouble: str = ""
    test_run_id: str = ""
    search: Search | None = None

    @property
    def result(self) -> Mapping[str, Any]:
        result: Mapping[str, Any] = self.batch_run.result
        return result


def run_tests(
    desk: Desk,
    plan: Plan,
    *,
    batch: Batch | None = None,
    baseline: Mapping[str, Any] | None = None,
    rule: Rule = Rule(),  # noqa: B008
    sender: Sender | None = None,
    triggered_by: str,
    now: datetime,
) -> Tested:
    """Run, store, compare and write the files; the database has all of it before any file is written."""
    begun = time.monotonic()
    runs = run_suite(plan)
    result = build_result(
        runs,
        root=str(desk.root),
        batch_id=batch.number if batch else None,
        started=now,
        seconds=time.monotonic() - begun,
        commit=git.commit(desk.root),
    )
    found = EMPTY
    if baseline is not None:
        earlier = [row.result for row in BatchRun.objects.filter(workspace=desk.workspace)[:EARLIER]]
        found = compare(result, baseline, earlier=earlier, rerun=_again(plan), rule=rule)
    whole = [made for made in runs if made.report.exists() and made.cases]
    test_run_id = new_test_run_id("batch", now) if whole else ""
    unsent = sender(whole, test_run_id) if sender and whole else ""
    if unsent:
        plan.tell(f"Not sent, kept here instead: {unsent}")
    run = None
    if unsent or not sender:
        run = _store(desk, whole, test_run_id, triggered_by=triggered_by, batch=batch, now=now)
    trouble = _trouble(runs, result)
    kept = _keep(desk, batch, plan, result, found, run, now, trouble)
    _write(desk, kept, found)
    return Tested(kept, found, trouble, test_run_id)


def _write(desk: Desk, kept: BatchRun, found: Mapping[str, Any]) -> None:
    try:
        with desk.lock():
            logs.write_results(desk, kept, found)
    except OSError as problem:
        raise OSError(
            f"The results are stored, but {desk.root}/test_batch_logs could not be written: "
            f"{problem.strerror or problem}. Make room or take away what is in the way; "
            "`batch test` writes it anew."
        ) from None


def set_baseline(
    desk: Desk,
    result: Mapping[str, Any],
    *,
    name: str = "default",
    branch: str | None = None,
    is_here: bool = True,
    now: datetime,
) -> BatchBaseline:
    """Keep `result` as what later ones are held against, for `branch`, else the one checked out.

    Args:
        is_here: the workspace lies on this machine, and its file is written as well.
    """
    row, _ = BatchBaseline.objects.update_or_create(
        workspace=desk.workspace,
        name=name,
        branch=git.branch(desk.root) if branch is None else branch,
        defaults={"set_at": now, "result": dict(result)},
    )
    if name == "default" and is_here and desk.root.is_dir():
        with desk.lock():
            logs.write_json(desk.root, "baseline_results.json", result)
    return row


def find_baseline(desk: Desk, *, name: str = "default") -> Mapping[str, Any] | None:
    """The baseline of the branch checked out, else the latest of any branch."""
    rows = BatchBaseline.objects.filter(workspace=desk.workspace, name=name).order_by("-set_at")
    row = rows.filter(branch=git.branch(desk.root)).first() or rows.first()
    return row.result if row else None


def _again(plan: Plan) -> Callable[[list[str]], Mapping[str, float]]:
    def rerun(names: list[str]) -> Mapping[str, float]:
        made, _ = run_named(plan, names)
        return {case.nodeid: case.duration or 0.0 for each in made for case in each.cases}

    return rerun


def _trouble(runs: Sequence[ModuleRun], result: Mapping[str, Any]) -> str:
    late = next((made.trouble for made in runs if made.ended.was_late), "")
    if late or result["tests"]:
        return late
    told = next((made.trouble for made in runs if made.trouble), "")
    return told or "No tests were found. -p names their files, and --workspace the folder."


def _store(
    desk: Desk,
    whole: Sequence[ModuleRun],
    test_run_id: str,
    *,
    triggered_by: str,
    batch: Batch | None,
    now: datetime,
) -> TestRun | None:
    """Take the reports in as one test run of the definition `batch`."""
    for number, made in enumerate(whole, start=1):
        with made.report.open("rb") as file:
            ingest_report(
                file,
                project=desk.workspace.project,
                name=made.name,
                test_run_id=test_run_id,
                space="local",
                environment="local",
                definition="batch",
                triggered_by=triggered_by,
                branch=git.branch(desk.root),
                commit=git.commit(desk.root),
                metadata={"source": "batch", "batch": batch.number if batch else None},
                is_partial=number < len(whole),
                now=now,
            )
    return TestRun.objects.filter(test_run_id=test_run_id).first()


def _keep(
    desk: Desk,
    batch: Batch | None,
    plan: Plan,
    result: dict[str, Any],
    found: Mapping[str, Any],
    run: TestRun | None,
    now: datetime,
    trouble: str,
) -> BatchRun:
    with transaction.atomic():
        kept = BatchRun.objects.create(
            workspace=desk.workspace,
            batch=batch,
            run=run,
            started_at=now,
            pattern=plan.pattern,
            success=result["success"],
            trouble=trouble,
            total_tests=result["total_tests"],
            failed_tests=result["failed_tests"],
            duration=result["duration_seconds"],
            result=result,
        )
        kinds = zip(
            Regression.Kind.values, ("new_failures", "performance_degradations", "unconfirmed"), strict=True
        )
        Regression.objects.bulk_create(
            Regression(
                batch_run=kept,
                kind=kind,
                name=row["test_name"],
                baseline_seconds=row.get("baseline_seconds"),
                seconds=row.get("current_seconds"),
            )
            for kind, key in kinds
            for row in found[key]
        )
    return kept
