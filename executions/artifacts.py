"""Take in the test reports that a run of CI left as artifacts: each once, and what can't be had is said."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from access.models import Project
from executions.artifact_names import is_wanted, job_of
from executions.ci_runs import SOURCE, job_run_id, keep_run
from executions.ingest import Conflict, ingest_report, refuse
from executions.models import Report, SyncedRun
from executions.reports.base import Limits, UnreadableReport
from executions.staging import TooManyCases
from tracking.ci import Artifact, ArtifactGone, CIHistory, CIRefused, CIUnavailable, PastRun, RemoteJob
from tracking.models import TestRun


@dataclass
class Taking:
    """One run of CI whose artifacts are taken; `said` tells people what came of them."""

    project: Project
    past: PastRun
    jobs: Sequence[RemoteJob]
    tracked: TestRun | None
    patterns: Sequence[str]
    history: CIHistory
    limits: Limits
    most_cases: int | None
    now: datetime
    reports: int = 0
    said: list[str] = field(default_factory=list)

    def take(self, row: SyncedRun) -> bool:
        """Take what is new and whose job is over; True if nothing of what is there waits.

        Each is noted as soon as it is stored, so that a sync that is interrupted does not begin anew.
        """
        waits = False
        for artifact in self.history.artifacts(self.past):
            if str(artifact.number) in row.taken:
                continue
            try:
                word = self._one(artifact)
            except CIUnavailable as problem:
                if problem.retry_after:
                    raise  # it is not our turn: nothing else will be answered either
                self.said.append(f"{self._called(artifact)}: {problem}. The next sync tries again.")
                word = ""
            if word:
                row.taken[str(artifact.number)] = word
                row.save(update_fields=["taken"])
            waits |= not word
        return not waits

    def _one(self, artifact: Artifact) -> str:
        """Return what became of an artifact; empty where it has to wait."""
        if not is_wanted(artifact.name, self.patterns):
            return "ignored"
        attempt = self._attempt(artifact)
        found, job = self._job(artifact, attempt)
        if not ((job and job.status == "completed") or self.past.is_over or self.tracked):
            return ""
        if artifact.is_expired:
            return self._expired(artifact)
        if artifact.size > self.limits.unpacked_bytes:
            most = f"{self.limits.unpacked_bytes:,}"
            return self._refused(artifact, f"It has {artifact.size:,} bytes, and {most} is the limit.")
        try:
            report = self._fetch(artifact, job, attempt)
        except ArtifactGone:
            return self._expired(artifact)
        except CIRefused as problem:
            return self._refused(artifact, str(problem))
        except (UnreadableReport, TooManyCases, Conflict, ValueError) as problem:
            self.said.append(f"{self._called(artifact)}: {problem}")
            return "refused"
        self.reports += report.is_new
        if not job and not self.tracked:
            self._remark(report, artifact, found)
        return "stored"

    def _fetch(self, artifact: Artifact, job: RemoteJob | None, attempt: int) -> Report:
        def run() -> TestRun:
            return self.tracked or keep_run(self.project, self.past, job, now=self.now)[0]

        with tempfile.TemporaryFile() as file:
            self.history.download(artifact, file, most=self.limits.unpacked_bytes)
            return ingest_report(
                file,
                project=self.project,
                now=self.now,
                name=self._called(artifact),
                limits=self.limits,
                most_cases=self.most_cases,
                run_of=run,
                space="ci",
                environment="ci",
                triggered_by=SOURCE,
                attempt=attempt if self.tracked or not job else 1,
            )

    def _attempt(self, artifact: Artifact) -> int:
        """The attempt that left an artifact: the latest that had begun by then."""
        begun: dict[int, datetime] = {}
        for job in self.jobs:
            if job.created_at:
                begun[job.attempt] = min(job.created_at, begun.get(job.attempt, job.created_at))
        before = [number for number, at in begun.items() if artifact.created_at and at <= artifact.created_at]
        return max(before, default=self.past.remote.attempt) or 1

    def _job(self, artifact: Artifact, attempt: int) -> tuple[list[RemoteJob], RemoteJob | None]:
        """The jobs that may have left an artifact, and the one that did where its name tells."""
        ran = [job for job in self.jobs if job.attempt in (0, attempt) and job.conclusion != "skipped"]
        number = job_of(artifact.name, [job.name for job in ran], self.patterns)
        return ran, None if number is None else ran[number]

    def _expired(self, artifact: Artifact) -> str:
        at = artifact.expires_at
        how = f"expired at GitHub on {at:%Y-%m-%d}" if at and at <= self.now else "is gone at GitHub"
        self._refused(artifact, f"It {how}: nothing of it can be had any more.")
        return "expired"

    def _refused(self, artifact: Artifact, reason: str) -> str:
        self.said.append(f"{self._called(artifact)}: {reason}")
        name = self._called(artifact)
        refuse(self.project, reason, name=name, sent_by=SOURCE, now=self.now, run=self.tracked)
        return "refused"

    def _remark(self, report: Report, artifact: Artifact, ran: list[RemoteJob]) -> None:
        text = (
            f"The name {artifact.name!r} tells none of the {len(ran)} jobs of run {self.past.number}, so its "
            f"tests are those of {job_run_id(self.past, None)}. Call it after its job or its matrix, or "
            "set a pattern with {job}."
        )
        if text not in report.problems:
            report.problems = [text, *report.problems][:100]
            report.save(update_fields=["problems"])
        self.said.append(f"{self._called(artifact)}: {text}")

    def _called(self, artifact: Artifact) -> str:
        return f"{artifact.name} of run {self.past.number}"


def say_missing(project: Project, past: PastRun, patterns: Sequence[str], *, now: datetime) -> str:
    """Keep a line about a run that is over and left no report; return it."""
    text = (
        f"Run {past.number} ({past.workflow}) left no artifact with a test report; looked for: "
        f"{', '.join(patterns)}."
    )
    refuse(project, text, name=f"run {past.number}", sent_by=SOURCE, now=now)
    return text
