"""Take the results of a suite that ran on this machine, and close its run by them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from executions.ingest import Conflict, ingest_report
from executions.local_run import Recorder, end_report
from executions.models import Report, Result, ResultSet
from executions.outcome import NOTHING, PYTEST_TROUBLE, verdict
from executions.reports.base import Limits, UnreadableReport
from executions.staging import TooManyCases
from tracking.job_files import CLIENT, job_folder, suite_report
from tracking.lifecycle import Status, close_run
from tracking.models import LocalJob, TestRun

NOT_REPORTED = "Its definition expects this case, and the suite did not report it."
MOST_FILES = 1000
LAST_WORDS = 2000  # bytes of the output that a reason quotes


@dataclass(frozen=True)
class Bounds:
    """What is taken of one report at most; `folder` holds the files of local jobs."""

    folder: Path
    limits: Limits
    most_cases: int | None


def take_results(run: TestRun, bounds: Bounds, *, now: datetime) -> bool:
    """Store what a suite reported and close its run; True for the caller who closed it.

    Cases that the definition expects and nobody reported are stored as failed.  Done twice, it changes
    nothing.
    """
    job = LocalJob.objects.filter(dispatch_id__in=run.workflow_runs.values("dispatch_id")).first()
    trouble: list[str] = []
    for path in _reports(run, job, bounds.folder):
        try:
            with path.open("rb") as file:
                _ingest(run, file, path.name, bounds, now)
        except (UnreadableReport, TooManyCases, Conflict, ValueError, OSError) as problem:
            trouble.append(f"{path.name} could not be taken: {problem}")
    found = ResultSet.objects.filter(run=run).first()
    reported = found.total if found else 0
    missing = sorted(set(run.plan.get("expected", [])) - _names(found))
    if missing:
        _ingest(run, BytesIO(_as_failed(missing)), "expected cases", bounds, now)
    status, reason = _verdict(run, job, reported, trouble, bounds.folder)
    ended = job.completed_at if job and job.completed_at else now
    return close_run(run, status, reason=reason, now=ended)


def _reports(run: TestRun, job: LocalJob | None, folder: Path) -> Iterator[Path]:
    """The files of a suite: that of the plugin, and those that its command wrote while it ran."""
    if job is None or job.started_at is None:
        return
    own = suite_report(folder, job.dispatch_id)
    if own.exists():
        end_report(Recorder(CLIENT, own))  # where pytest was killed it wrote none
        yield own
    place, count = Path(run.plan["folder"]), 0
    begun = job.started_at.timestamp() - 1  # file systems keep coarse times
    for pattern in run.plan.get("reports", []):
        for path in sorted(_inside(place, pattern)):
            if path.is_file() and path.stat().st_mtime >= begun and count < MOST_FILES:
                count += 1
                yield path


def _inside(place: Path, pattern: str) -> list[Path]:
    """The files of a pattern that really lie in the workspace."""
    try:
        found = list(place.glob(pattern))
    except (NotImplementedError, ValueError):  # an absolute path, or none at all
        return []
    return [path for path in found if path.resolve().is_relative_to(place.resolve())]


def _ingest(run: TestRun, file: BinaryIO, name: str, bounds: Bounds, now: datetime) -> Report:
    return ingest_report(
        file,
        project=run.project,
        now=now,
        name=name,
        limits=bounds.limits,
        most_cases=bounds.most_cases,
        test_run_id=run.test_run_id,
        space=run.space,
        triggered_by=run.triggered_by,
    )


def _names(found: ResultSet | None) -> set[str]:
    """All names under which the cases of a run are known."""
    if found is None:
        return set()
    rows = Result.objects.of_set(found).order_by().values_list("case__nodeid", "case__junit_key")
    return {name for row in rows.iterator() for name in row}


def _as_failed(missing: Iterable[str]) -> bytes:
    tests = [
        {"nodeid": name, "outcome": "failed", "call": {"outcome": "failed", "longrepr": NOT_REPORTED}}
        for name in missing
    ]
    content = {"created": 0, "exitcode": 1, "root": "", "summary": {"total": len(tests)}, "tests": tests}
    return json.dumps(content).encode()


def _verdict(
    run: TestRun, job: LocalJob | None, reported: int, trouble: Sequence[str], folder: Path
) -> tuple[str, str]:
    """Status and reason: an error is about the suite itself, a failure about its cases."""
    if job is None or job.started_at is None:
        if run.cancel_requested_at:
            return Status.CANCELLED, "Cancelled before it started."
        return Status.ERROR, f"It could not start: {job.reason if job else 'its job is gone'}."
    if job.conclusion == "cancelled" and run.cancel_requested_at:
        return Status.CANCELLED, "Cancelled while it ran."
    if job.conclusion == "timed_out":
        return Status.ERROR, f"It took longer than its time limit of {job.time_limit} s and was ended."
    if job.exit_code is None or job.exit_code < 0 or job.conclusion == "cancelled":
        return Status.ERROR, f"The suite crashed: {job.reason}."
    if trouble:
        return Status.ERROR, trouble[0]
    if suite_report(folder, job.dispatch_id).exists() and job.exit_code in PYTEST_TROUBLE:
        return Status.ERROR, f"pytest ended with {job.exit_code}: {PYTEST_TROUBLE[job.exit_code]}."
    if not reported:
        said = _last_words(job_folder(folder, job.dispatch_id) / "output.log")
        return Status.ERROR, NOTHING + (f" Its last words: {said}" if said else "")
    status, reason = verdict(ResultSet.objects.filter(run=run).first())
    if status == Status.PASSED and job.exit_code:
        return Status.FAILED, f"No test failed, and yet the command ended with {job.exit_code}."
    return status, reason


def _last_words(log: Path) -> str:
    """The last line of the output, without what only a terminal understands."""
    try:
        with log.open("rb") as file:
            file.seek(max(log.stat().st_size - LAST_WORDS, 0))
            lines = file.read().decode("utf-8", "replace").split("\n")
    except OSError:
        return ""
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return "".join(sign for sign in last if sign.isprintable())[:300]
