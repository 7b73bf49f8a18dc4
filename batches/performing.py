"""Do what a job asks for, with the workspace's own settings and never with a command that came with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from batches import logs
from batches.jobs import COULD_NOT, Notes
from batches.models import BatchJob
from batches.planning import Order, Surroundings, planned, prove
from batches.preview import Refused
from batches.processes import Cancelled
from batches.recording import Desk
from batches.rollback import roll_back, undo
from batches.testing import Tested, find_baseline
from batches.workspace import NotKeepable, OutsideWorkspace
from tracking.interpreter import NoPython


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
    except (Refused, NoPython, OutsideWorkspace, NotKeepable, OSError) as problem:
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
    what = "Undid the rollback of" if done.undoes_id else "Rolled back"
    told = f"{what} batch {job.batch.number}: {len(done.plan)} files."
    notes.line(told)
    try:
        tested = _run(job, desk, around, notes, clock, is_of_batch=False)
    except NoPython as problem:
        return COULD_NOT, f"{told} The tests could not run afterwards: {problem}"
    return _ending(tested, told)


def _test(
    job: BatchJob, desk: Desk, around: Surroundings, notes: Notes, clock: Callable[[], datetime]
) -> tuple[int, str]:
    return _ending(_run(job, desk, around, notes, clock, is_of_batch=True), "")


def _run(
    job: BatchJob,
    desk: Desk,
    around: Surroundings,
    notes: Notes,
    clock: Callable[[], datetime],
    *,
    is_of_batch: bool,
) -> Tested:
    workspace = desk.workspace
    order = Order(
        python=workspace.python or workspace.last_python,
        framework=workspace.last_framework,
        timeout=float(job.options.get("timeout") or Order.timeout),
        pattern=str(job.options.get("pattern") or ""),
    )
    with planned(
        desk, order, around, tell=notes.line, show=notes.add, is_cancelled=notes.is_cancelled
    ) as plan:
        tested = prove(
            desk,
            plan,
            batch=job.batch if is_of_batch else None,
            baseline=find_baseline(desk) if is_of_batch else None,
            triggered_by=job.requested_by,
            now=clock(),
        )
    job.batch_run = tested.batch_run
    return tested


def _ending(tested: Tested, before: str) -> tuple[int, str]:
    if tested.trouble:
        return COULD_NOT, f"{before} {tested.trouble}".strip()
    result = tested.result
    told = f"{result['total_tests']} tests, {result['failed_tests']} failed."
    return (0 if result["success"] else 1), f"{before} {told}".strip()
