"""Follow workflow runs with few calls: one list for all of them, and a question only where in doubt.

Messages tell most of it.  A list tells what they left out: a run that could not start, a lost message,
a later attempt.  What a list can't tell, the jobs of an attempt, is asked for once it has completed,
unless a sibling shows that the messages told of all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from tracking.ci.base import CIBusy, RemoteJob, RemoteRun, Seen
from tracking.ci.github.answers import NotThere
from tracking.ci.github.client import Client
from tracking.ci.github.matching import Matching
from tracking.models import CIRepository, WorkflowAttempt, WorkflowRun

WITHOUT_MESSAGES = timedelta(seconds=60)  # between two lists
WITH_MESSAGES = timedelta(minutes=5)
MESSAGES_COME = timedelta(minutes=15)  # since the last one; then they are no longer relied on
LIST_LAG = timedelta(minutes=2)  # a run may be so old before a list shows it
MARGIN = timedelta(minutes=5)  # between the clocks of two machines
MOST_PAGES = 40
MOST_QUESTIONS = 25  # at one look; the lease of the driver has to be renewed in between
LATE_MESSAGES = timedelta(seconds=20)  # after a completion, before its jobs are asked for
ASK_AGAIN = timedelta(seconds=60)


class Following:
    """One look at a repository."""

    def __init__(self, client: Client, watch: CIRepository) -> None:
        self.client, self.watch = client, watch

    def look(self, workflows: Sequence[WorkflowRun], *, now: datetime, confirm: bool) -> Seen:
        """Return what is known now; with `confirm` after a list that is as new as this moment.

        Raises:
            CIBusy: with `confirm`, somebody else is reading the list just now.
        """
        told: list[RemoteRun] = []
        listed_at = None
        is_due = self._is_due(workflows, now, confirm=confirm)
        if is_due:
            told, listed_at = self._list(workflows, now)
        answers = self._answers(workflows, now)
        return Seen((*told, *answers), listed_at, has_answered=is_due or bool(answers))

    def _is_due(self, workflows: Sequence[WorkflowRun], now: datetime, *, confirm: bool) -> bool:
        """Whether it is time for a list, and we are the ones to read it."""
        latest = self.watch.listed_at
        if confirm:
            if latest and latest >= max((w.seen_at for w in workflows if w.seen_at), default=latest):
                return False
        else:
            begun = min((w.sent_at for w in workflows if w.sent_at), default=now)
            if now - max(latest or begun, begun) < self._pause(workflows, now):
                return False
        free = CIRepository.objects.filter(pk=self.watch.pk, claimed_at=self.watch.claimed_at)
        under_way = self.watch.claimed_at and now - self.watch.claimed_at < timedelta(seconds=30)
        is_read = latest and self.watch.claimed_at and latest >= self.watch.claimed_at
        if (under_way and not is_read) or not free.update(claimed_at=now):
            if confirm:
                raise CIBusy("the list is being read by another worker", retry_after=2)
            return False
        return True

    def _pause(self, workflows: Sequence[WorkflowRun], now: datetime) -> timedelta:
        hooked = self.watch.hook_at and now - self.watch.hook_at < MESSAGES_COME
        lost = any(w.dispatch_state == "unknown" or not w.github_run_id for w in workflows)
        return WITH_MESSAGES if hooked and not lost else WITHOUT_MESSAGES

    def _list(
        self, workflows: Sequence[WorkflowRun], now: datetime
    ) -> tuple[list[RemoteRun], datetime | None]:
        matching = Matching(self.client, self.watch, workflows, now=now)
        told: list[RemoteRun] = []
        since = matching.since - MARGIN
        covered = False
        for number, page in enumerate(self.client.runs(), start=1):
            told += matching.read(page)
            covered = not page or any(one.created_at and one.created_at < since for one in page)
            if covered or number == MOST_PAGES:
                break
        else:
            covered = True  # the list ended before it went back far enough: there is nothing older
        watch = CIRepository.objects.filter(pk=self.watch.pk)
        watch.update(listed_at=now, listed_since=since, claimed_at=now)
        self.watch.listed_at = now
        if covered:
            told += self._missing(matching.missing(older_than=now - LIST_LAG))
        return told, now if covered else None

    def _missing(self, workflows: Sequence[WorkflowRun]) -> Iterator[RemoteRun]:
        """Runs that GitHub had and lists no more: was one deleted, or may we not see it?"""
        for workflow in workflows[:MOST_QUESTIONS]:
            assert workflow.github_run_id is not None  # noqa: S101 - by `missing`
            try:
                record = self.client.run(workflow.github_run_id)
            except NotThere:
                # Where even the repository can't be seen, it is the token, and nothing was deleted.
                self.client.repository()
                yield gone(workflow)
            else:
                yield record.as_remote(workflow.dispatch_id, seen_by="question")

    def _answers(self, workflows: Sequence[WorkflowRun], now: datetime) -> list[RemoteRun]:
        """Ask for the jobs of attempts that have completed and are not wholly known."""
        told: list[RemoteRun] = []
        asked = 0
        whole = self._whole_siblings(workflows)
        for workflow in workflows:
            for attempt in self._in_doubt(workflow, now):
                siblings = whole.get((workflow.run_id, workflow.workflow_file))
                if attempt.number == 1 == workflow.attempt and siblings is not None:
                    if self._is_told_in_full(attempt, siblings):
                        told.append(_completed(workflow, attempt))
                        continue
                    if not self._is_overdue(attempt, now):
                        continue
                elif self._hooked(now) and workflow.attempt == 1 and asked:
                    continue  # the first of them tells how many jobs the others have
                if asked < MOST_QUESTIONS:
                    told.append(self._ask(workflow, attempt, now))
                    asked += 1
        return told

    def _in_doubt(self, workflow: WorkflowRun, now: datetime) -> list[WorkflowAttempt]:
        if not workflow.github_run_id:
            return []
        known = {attempt.number: attempt for attempt in workflow.attempts.all()}
        doubtful = []
        for number in range(1, workflow.attempt + 1):
            attempt = known.get(number) or WorkflowAttempt(workflow=workflow, number=number)
            is_over = attempt.status == "completed" or number < workflow.attempt
            was_asked = attempt.asked_at and now - attempt.asked_at < ASK_AGAIN
            if is_over and not attempt.is_whole and not was_asked:
                doubtful.append(attempt)
        return doubtful

    def _ask(self, workflow: WorkflowRun, attempt: WorkflowAttempt, now: datetime) -> RemoteRun:
        assert workflow.github_run_id is not None  # noqa: S101 - by `_in_doubt`
        attempt.asked_at = now
        if attempt.pk:
            WorkflowAttempt.objects.filter(pk=attempt.pk).update(asked_at=now)
        try:
            jobs = self.client.jobs(workflow.github_run_id, attempt.number)
            if attempt.status == "completed":
                return _completed(workflow, attempt, jobs)
            record = self.client.attempt(workflow.github_run_id, attempt.number)
        except NotThere:
            self.client.repository()
            return gone(workflow, attempt.number)
        return record.as_remote(workflow.dispatch_id, seen_by="question", jobs=jobs)

    def _hooked(self, now: datetime) -> bool:
        return bool(self.watch.hook_at and now - self.watch.hook_at < MESSAGES_COME)

    def _is_overdue(self, attempt: WorkflowAttempt, now: datetime) -> bool:
        late = LATE_MESSAGES if self._hooked(now) else timedelta(0)
        return attempt.reported_at is None or now - attempt.reported_at >= late

    @staticmethod
    def _is_told_in_full(attempt: WorkflowAttempt, siblings: int) -> bool:
        jobs = list(attempt.jobs.all())
        return len(jobs) == siblings > 0 and all(job.status == "completed" for job in jobs)

    @staticmethod
    def _whole_siblings(workflows: Sequence[WorkflowRun]) -> dict[tuple[object, str], int]:
        """How many jobs a workflow file has in a run, by a first attempt that is wholly known."""
        runs = {workflow.run_id for workflow in workflows}
        return WorkflowAttempt.objects.job_counts(runs)


def gone(workflow: WorkflowRun, attempt: int = 0) -> RemoteRun:
    """What remains to be said of a run that GitHub has no more."""
    return RemoteRun(
        dispatch_id=workflow.dispatch_id,
        status="completed",
        conclusion="stale",
        attempt=attempt or max(workflow.attempt, 1),
        reason="GitHub has it no more: somebody deleted it before it was seen to end.",
    )


def _completed(
    workflow: WorkflowRun, attempt: WorkflowAttempt, jobs: Sequence[RemoteJob] | None = None
) -> RemoteRun:
    """The end of an attempt that is known, now with all its jobs."""
    return RemoteRun(
        dispatch_id=workflow.dispatch_id,
        status="completed",
        conclusion=attempt.conclusion,
        attempt=attempt.number,
        completed_at=attempt.reported_at,
        jobs=tuple(jobs or ()),
        seen_by="message" if jobs is None else "question",
    )
