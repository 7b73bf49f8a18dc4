"""Give the local service's jobs a place on this machine, start them, and note what became of them.

Any number of runners may work at once, here and on other machines: a job is claimed by a conditional
UPDATE, and the places of a machine are counted in the same transaction.  A runner keeps nothing in
memory that another one could not read from the rows and the job folders.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zlib import crc32

from django.db import connection, transaction

from tracking import job_wrapper
from tracking.interpreter import NoPython, find_python
from tracking.job_files import OWN_PYTHON, job_folder
from tracking.models import LocalJob

OUTPUT_LIMIT = 5_000_000  # bytes
START_AGAIN_AFTER = timedelta(seconds=5)
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "USER", "VIRTUAL_ENV")
_CONCLUSIONS = {"cancelled": "cancelled", "timed_out": "timed_out", "lost": "cancelled"}


class LocalRunner:
    """Runs jobs on the machine `host`, at most `slots` at once; their files lie under `folder`.

    `supervisor` is the process (`number:start`) whose end is to end the jobs, where there is one.
    """

    def __init__(self, folder: Path, *, host: str, slots: int, supervisor: str = "") -> None:
        self.folder, self.host, self.slots, self.supervisor = Path(folder), host, slots, supervisor
        self.children: list[subprocess.Popen[bytes]] = []

    def tick(self, now: datetime) -> list[str]:
        """Do what can be done now, without waiting; return the dispatch_ids of jobs that moved on."""
        self.children = [child for child in self.children if child.poll() is None]
        moved = [job.dispatch_id for job in LocalJob.objects.occupying(self.host) if self._look_at(job, now)]
        for job in self._claim(now):
            self._start(job)
            moved.append(job.dispatch_id)
        return moved

    def leave(self, seconds: float = 1.0) -> None:
        """Wait a moment for wrappers that have noted their end; those whose job goes on are left alone."""
        for child in self.children:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(seconds)
                continue
            seconds = 0.0

    def _look_at(self, job: LocalJob, now: datetime) -> bool:
        folder = job_folder(self.folder, job.dispatch_id)
        if job.cancel_requested_at and folder.is_dir():
            (folder / "cancel").touch()
        start, end = _read(folder / "start.json"), _read(folder / "end.json")
        if end:
            return _close(job, **_outcome(start, end))
        begun = (folder / "begun").exists()
        if begun and not _is_held(folder / "lock"):
            end = _read(folder / "end.json")  # it may have ended between the two looks
            job_wrapper.kill_group(_leftover(start), signal.SIGKILL)
            return _close(job, **(_outcome(start, end) if end else _vanished(start, now)))
        if start and job.state == LocalJob.State.CLAIMED:
            return _note_start(job, start)
        if not begun and job.claimed_at and now > job.claimed_at + START_AGAIN_AFTER:
            self._start_again(job, folder, now)
        return False

    def _start_again(self, job: LocalJob, folder: Path, now: datetime) -> None:
        """Its runner died between claiming and starting it, or the wrapper could not begin."""
        if _is_held(folder / "lock"):
            return
        if LocalJob.objects.filter(pk=job.pk, claimed_at=job.claimed_at).update(claimed_at=now):
            self._start(job)

    def _claim(self, now: datetime) -> list[LocalJob]:
        if not LocalJob.objects.queued().exists():
            return []
        with transaction.atomic():
            self._one_at_a_time()
            free = self.slots - LocalJob.objects.occupying(self.host).count()
            if free <= 0:
                return []
            oldest = list(LocalJob.objects.queued().order_by("id")[:free])
            return [job for job in oldest if self._take(job, now)]

    def _take(self, job: LocalJob, now: datetime) -> bool:
        row = LocalJob.objects.queued().filter(pk=job.pk, cancel_requested_at=None)
        job.claimed_at = now
        return bool(row.update(state=LocalJob.State.CLAIMED, host=self.host, claimed_at=now))

    def _one_at_a_time(self) -> None:
        """Let the runners of this machine count its places one after the other."""
        if connection.vendor == "postgresql":  # SQLite's transactions are IMMEDIATE: they already wait
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [crc32(f"places of {self.host}".encode())])

    def _start(self, job: LocalJob) -> None:
        """Start the wrapper.  If that fails (a full disk), the claim stays and it is tried again."""
        folder = job_folder(self.folder, job.dispatch_id)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            draft = folder / f"job.json.{os.getpid()}"
            draft.write_text(json.dumps(self._order(job)))
            draft.replace(folder / "job.json")
            with (folder / "wrapper.log").open("ab") as log:
                child = subprocess.Popen(
                    [sys.executable, "-I", "-S", job_wrapper.__file__, str(folder)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    cwd="/",
                )
        except OSError:
            return
        self.children.append(child)

    def _order(self, job: LocalJob) -> dict[str, Any]:
        command = list(job.command)
        if command[0] in ("python", "python3"):
            command[0] = _python_of_folder(job) if OWN_PYTHON in job.variables else sys.executable
        # Only what is named passes on: the server's environment holds its secrets.
        variables = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        return {
            "command": command,
            "folder": job.folder,
            "variables": {**variables, "PYTHONUNBUFFERED": "1", **job.variables},
            "time_limit": job.time_limit,
            "output_limit": OUTPUT_LIMIT,
            "supervisor": self.supervisor,
        }


def _python_of_folder(job: LocalJob) -> str:
    """The user's own interpreter; where there is none, the name stays and the start fails on it."""
    try:
        return find_python(Path(job.folder), os.environ, own=Path(sys.prefix), needs_pytest=False)
    except NoPython:
        return str(job.command[0])


def _note_start(job: LocalJob, start: dict[str, Any]) -> bool:
    row = LocalJob.objects.filter(pk=job.pk, state=LocalJob.State.CLAIMED)
    return bool(row.update(state=LocalJob.State.RUNNING, started_at=_moment(start["started_at"])))


def _close(job: LocalJob, **fields: Any) -> bool:
    return bool(LocalJob.objects.open().filter(pk=job.pk).update(state=LocalJob.State.DONE, **fields))


def _outcome(start: dict[str, Any] | None, end: dict[str, Any]) -> dict[str, Any]:
    started_at = _moment((start or {}).get("started_at"))
    completed_at = _moment(end["completed_at"])
    exit_code, ending = end["exit_code"], end.get("ending", "")
    if started_at is None:
        conclusion, reason = "startup_failure", end.get("reason", "could not start")
    elif ending:
        conclusion, reason = _CONCLUSIONS[ending], _why(ending)
    else:
        conclusion, reason = ("success", "") if exit_code == 0 else ("failure", _exit_in_words(exit_code))
    return {
        "started_at": started_at,
        "completed_at": max(completed_at, started_at) if started_at and completed_at else completed_at,
        "exit_code": exit_code,
        "conclusion": conclusion,
        "reason": reason,
    }


def _vanished(start: dict[str, Any] | None, now: datetime) -> dict[str, Any]:
    started_at = _moment((start or {}).get("started_at"))
    return {
        "started_at": started_at,
        "completed_at": max(now, started_at) if started_at else now,
        "conclusion": "failure",
        "reason": "its process was killed",
    }


def _why(ending: str) -> str:
    return {
        "cancelled": "cancelled while it ran",
        "timed_out": "it took longer than its time limit",
        "lost": "the server was stopped while it ran",
    }[ending]


def _exit_in_words(exit_code: int) -> str:
    return f"exit code {exit_code}" if exit_code >= 0 else f"ended by signal {-exit_code}"


def _leftover(start: dict[str, Any] | None) -> int:
    """The job's process, if it is still the one that the wrapper started."""
    start = start or {}
    process = int(start.get("pid") or 0)
    return process if process and job_wrapper.start_of(process) == start.get("pid_start") else 0


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, tz=UTC)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        content: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    return content


def _is_held(lock: Path) -> bool:
    """Whether a living wrapper holds its lock."""
    try:
        with lock.open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False
