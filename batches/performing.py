"""Do what a job asks for, with the workspace's own settings and never with a command that came with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from analysis.wording import count
from batches import logs
from batches.baselines import NONE_YET, NoBaseline, find_baseline, set_baseline
from batches.jobs import COULD_NOT, Notes
from batches.models import Batch, BatchJob
from batches.planning import Order, Surroundings, planned, prove
from batches.preview import Refused
from batches.processes import Cancelled
from batches.recording import Desk
from batches.regressions import Rule
from batches.rollback import roll_back, undo
from batches.testing import PASSED, NothingCollected, Tested
from batches.workspace import NotKeepable, OutsideWorkspace
from tracking.interpreter import NoPython

_OF_FILES = (Refused, OutsideWorkspace, NotKeepable)
_OF_TESTS = (NoPython, NoBaseline, NothingCollected)


def perform(
    job: BatchJob, desk: Desk, around: Surroundings, notes: Notes, *, clock: Callable[[], datetime]
) -> tuple[int, str]:
    """Do it; return the exit code that the command would have, and a sentence."""
    if not desk.root.is_dir():
        return COULD_NOT, f"There is no folder {desk.root} on {desk.workspace.host} any more."
    try:
        if job.kind == BatchJob.Kind.TEST:
            return _test(job, desk, around, notes, clock)
        return _roll_back(job, desk, around, notes, clock)
    except Cancelled:
        return COULD_NOT, "Cancelled; the process group of the tests was ended."
    except (*_OF_FILES, *_OF_TESTS, OSError) as problem:
        return COULD_NOT, str(problem)


def _roll_back(
    job: BatchJob, desk: Desk, around: Surroundings, notes: Notes, clock: Callable[[], datetime]
) -> tuple[int, str]:
    if job.batch is None:
        raise Refused("A rollback needs a batch.")
    verb = undo if job.kind == BatchJob.Kind.UNDO else roll_back
    force = bool(job.options.get("force"))
    done = verb(desk, job.batch, force=force, actor=job.requested_by, now=clock())
    with desk.lock():
        logs.write_tracker(desk)
    told = done.sentence
    notes.line(told)
    if job.options.get("no_test"):
        return PASSED, told
    try:
        tested = _run(job, desk, around, notes, clock, batch=None, baseline=None)
    except NoPython as problem:
        return COULD_NOT, f"{told} The tests could not run afterwards: {problem}"
    return tested.exit_code(), f"{told} {_outcome(tested)}"


def _test(
    job: BatchJob, desk: Desk, around: Surroundings, notes: Notes, clock: Callable[[], datetime]
) -> tuple[int, str]:
    wanted = job.options
    name, is_compared = str(wanted.get("name") or "default"), bool(wanted.get("compare"))
    baseline = find_baseline(desk, name=name) if is_compared or job.batch else None
    if is_compared and baseline is None:
        raise NoBaseline(NONE_YET)
    tested = _run(job, desk, around, notes, clock, batch=job.batch, baseline=baseline)
    told = _outcome(tested)
    if is_compared and not tested.trouble:
        number = len(tested.regressions["new_failures"]) + len(tested.regressions["performance_degradations"])
        told += f" Against the baseline: {count(number, 'regression')}."
    if wanted.get("set_baseline") and not tested.trouble:
        set_baseline(desk, tested.result, name=name, actor=job.requested_by, now=clock())
        told += " They are the baseline now."
    return tested.exit_code(is_compared=is_compared), told


def _run(
    job: BatchJob,
    desk: Desk,
    around: Surroundings,
    notes: Notes,
    clock: Callable[[], datetime],
    *,
    batch: Batch | None,
    baseline: Mapping[str, Any] | None,
) -> Tested:
    workspace, wanted = desk.workspace, job.options
    order = Order(
        python=workspace.last_python or workspace.python,
        framework=workspace.last_framework,
        timeout=float(wanted.get("timeout") or Order.timeout),
        pattern=str(wanted.get("pattern") or ""),
        isolated=bool(wanted.get("isolated")),
    )
    with planned(
        desk, order, around, tell=notes.line, show=notes.add, is_cancelled=notes.is_cancelled
    ) as plan:
        tested = prove(
            desk,
            plan,
            batch=batch,
            baseline=baseline,
            rule=Rule(is_plain=bool(wanted.get("plain"))),
            triggered_by=job.requested_by,
            now=clock(),
        )
    job.batch_run = tested.batch_run
    return tested


def _outcome(tested: Tested) -> str:
    result = tested.result
    return tested.trouble or f"{count(result['total_tests'], 'test')}, {result['failed_tests']:,} failed."
