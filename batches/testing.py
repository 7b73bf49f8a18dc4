"""Run the tests of a workspace, keep the results as a test run, and hold them against the baseline."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from batches import git, logs
from batches.copies import Search
from batches.keeping import Made, Sender, hand_in, keep
from batches.models import Batch, BatchRun
from batches.recording import Desk
from batches.regressions import Rule, compare
from batches.results import build_result
from batches.runner import ModuleRun, Plan, run_named, run_suite

PASSED, FAILED, WORSE, COULD_NOT = range(4)  # exit codes
EARLIER = 20  # runs that say how long a test usually takes
EMPTY: dict[str, Any] = {"new_failures": [], "performance_degradations": [], "unconfirmed": []}


class NothingCollected(Exception):
    """No test has the name that was asked for; nothing was stored or written."""


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

    def exit_code(self, *, is_compared: bool = False) -> int:
        """Return what the contract gives: 3 could not run, before 2 regressions, before 1 failed."""
        if self.trouble:
            return COULD_NOT
        if is_compared and (self.regressions["new_failures"] or self.regressions["performance_degradations"]):
            return WORSE
        return PASSED if self.result["success"] else FAILED


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
    """Run, store, compare and write the files; the database has all of it before any file is written.

    Raises:
        NothingCollected: the plan's pattern names no test.
    """
    begun = time.monotonic()
    runs = run_suite(plan)
    if plan.pattern and not any(made.cases or made.trouble for made in runs):
        raise NothingCollected(_nothing(plan.pattern, bool(runs)))
    seconds = time.monotonic() - begun
    result = build_result(
        runs,
        root=str(desk.root),
        batch_id=batch.number if batch else None,
        started=now,
        seconds=seconds,
        commit=git.commit(desk.root),
    )
    found = EMPTY
    if baseline is not None:
        earlier = [row.result for row in BatchRun.objects.filter(workspace=desk.workspace)[:EARLIER]]
        found = compare(result, baseline, earlier=earlier, rerun=_again(plan), rule=rule)
    trouble = _trouble(runs, result)
    made = Made(desk, batch, runs, trouble, triggered_by, now, now + timedelta(seconds=seconds))
    test_run_id, run = hand_in(made, plan.tell, sender)
    kept = keep(made, plan.pattern, result, found, test_run_id, run)
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


def _nothing(pattern: str, has_files: bool) -> str:
    why = (
        f"the files that {pattern!r} names hold no tests"
        if has_files
        else f'no file here is called {pattern!r}; -p takes file names, as in "test_*.py"'
    )
    return f"Nothing was collected: {why}. The results of the last run stay as they are."


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
