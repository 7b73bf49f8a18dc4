"""Fetch what CI did: its runs, their finished jobs, the test reports in their artifacts; only what is new.

Everything is stored piece by piece under names that the service's numbers make, so a sync may be
interrupted anywhere, or two of them work at once: the next one goes on, and nothing is there twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from access.models import Project
from executions.artifacts import Taking, say_missing
from executions.ci_runs import ElsewhereKnown, keep_run, sent_by_us, tell_tracked
from executions.models import CISync, SyncedRun
from executions.reports.base import Limits
from tracking.ci import CIHistory, CIRefused, CIUnavailable, PastRun, RemoteJob, Unexpected

WEEK = timedelta(days=7)
OVERLAP = timedelta(hours=1)  # a list may show a run late
FORGOTTEN = timedelta(days=400)  # no list goes back so far
IN_A_ROW = 3  # runs that can't be had, after which it is the service and not the runs
WHOLE_WEEK_EVERY = timedelta(days=1)  # finds later attempts of runs that were whole


@dataclass
class Synced:
    """What a sync brought; `said` are remarks for people, `problem` why it did not get through.

    `missed` are the numbers of runs that could not be had this time, while others could.
    """

    runs: int = 0
    jobs: int = 0
    reports: int = 0
    said: list[str] = field(default_factory=list)
    missed: list[int] = field(default_factory=list)
    problem: str = ""


@dataclass(frozen=True)
class Bounds:
    """What is taken of one artifact at most."""

    limits: Limits = field(default_factory=Limits)
    most_cases: int | None = None


def sync_runs(
    project: Project, runs: Iterable[PastRun], history: CIHistory, *, bounds: Bounds, now: datetime
) -> Synced:
    """Bring in what is new of these runs.

    A run that can't be had keeps the others from nothing; where the service does not answer any more, what
    came until then is kept, `problem` says so, and the next sync goes on.
    """
    done = Synced()
    patterns = sync_of(project).patterns
    lost: list[tuple[int, CIUnavailable]] = []  # that could not be had, one after the other
    try:
        for past in runs:
            done.runs += 1
            row = _row_of(project, past)
            if row.is_whole and row.attempt >= past.remote.attempt:
                continue
            try:
                _sync_run(project, past, row, history, patterns=patterns, bounds=bounds, done=done, now=now)
            except (CIRefused, Unexpected) as problem:  # it is about this run and no other one
                done.said.append(f"Run {past.number}: {problem}")
                lost = _missed(lost, done)
            except CIUnavailable as problem:
                lost.append((past.number, problem))
                if problem.retry_after or len(lost) == IN_A_ROW:
                    raise  # nothing else will be answered either
            else:
                lost = _missed(lost, done)
        if lost:  # nothing came after them, so it may be the service
            raise lost[-1][1]
    except (CIUnavailable, CIRefused) as problem:
        done.problem = f"{problem}".rstrip(".") + "."
    return done


def _missed(lost: list[tuple[int, CIUnavailable]], done: Synced) -> list[tuple[int, CIUnavailable]]:
    """Say of runs that it was they, and not the service, that could not be had."""
    for number, problem in lost:
        done.missed.append(number)
        done.said.append(f"Run {number}: {str(problem).rstrip('.')}. The next sync tries again.")
    return []


def sync_turn(project: Project, history: CIHistory, *, bounds: Bounds, now: datetime) -> Synced:
    """Fetch what came since the last turn that got through, and once a day look at the whole week."""
    settings = sync_of(project)
    is_full = settings.full_at is None or settings.full_at <= now - WHOLE_WEEK_EVERY
    since = now - WEEK if is_full or settings.reached is None else max(settings.reached - OVERLAP, now - WEEK)
    done = sync_runs(project, _due(project, history, since, now), history, bounds=bounds, now=now)
    SyncedRun.objects.filter(project=project, created_at__lt=now - FORGOTTEN).delete()
    mine = CISync.objects.filter(pk=settings.pk)
    if done.problem:
        mine.update(problem=done.problem)
    else:
        mine.update(problem="", reached=now, full_at=now if is_full else settings.full_at)
    return done


def claim_due(*, now: datetime) -> list[Project]:
    """Return the projects whose turn it is, each to one caller only; their next turn is set."""
    due = []
    for project in Project.objects.exclude(repository="").order_by("pk"):
        settings = sync_of(project)
        if not settings.every or (settings.next_at and settings.next_at > now):
            continue
        row = CISync.objects.filter(pk=settings.pk, next_at=settings.next_at)
        if row.update(next_at=now + timedelta(minutes=settings.every)):
            due.append(project)
    return due


def sync_of(project: Project) -> CISync:
    """Return how a project fetches; made on first use."""
    return CISync.objects.get_or_create(project=project)[0]


def _due(project: Project, history: CIHistory, since: datetime, now: datetime) -> Iterator[PastRun]:
    """The runs since a moment, and the older ones that were still going when they were last looked at."""
    seen = set()
    for past in history.runs(since):
        seen.add(past.number)
        yield past
    older = SyncedRun.objects.filter(project=project, is_whole=False, created_at__gte=now - WEEK)
    for row in older:
        if row.github_run_id in seen:
            continue
        try:
            yield history.run(row.github_run_id)
        except CIRefused:  # the repository answered just now, so it is the run that was deleted
            SyncedRun.objects.filter(pk=row.pk).update(is_whole=True)


def _sync_run(
    project: Project,
    past: PastRun,
    row: SyncedRun,
    history: CIHistory,
    *,
    patterns: Sequence[str],
    bounds: Bounds,
    done: Synced,
    now: datetime,
) -> None:
    jobs = list(_own(history.jobs(past)))
    finished = [job for job in jobs if job.status == "completed" and job.conclusion != "skipped"]
    tracked = sent_by_us(project, past)
    taking = Taking(*(project, past, jobs, tracked, patterns, history, bounds.limits, bounds.most_cases, now))
    try:
        if tracked:
            tell_tracked(tracked, past, jobs, now=now)
        else:
            done.jobs += sum(keep_run(project, past, job, now=now)[1] for job in finished)
        # What is still going has left nothing new unless another job of it has ended.
        is_news = past.is_over or len(finished) > row.jobs
        has_all = taking.take(row) if is_news and finished else True
    except ElsewhereKnown as problem:
        done.said.append(f"{problem} Its results are not counted twice.")
        has_all, finished = True, []
    finally:
        done.reports += taking.reports
        done.said += taking.said
    was_whole, row.is_whole = row.is_whole, past.is_over and has_all
    row.jobs, row.attempt, row.path = len(finished), past.remote.attempt, past.path
    if row.is_whole and not was_whole and finished and not row.has_reports and _is_news(row):
        done.said.append(say_missing(project, past, patterns, now=now))
    row.save()


def _own(jobs: Sequence[RemoteJob]) -> Iterator[RemoteJob]:
    """Jobs without those that a partial re-run took over: the same work, listed once more."""
    seen = set()
    for job in sorted(jobs, key=lambda job: (job.attempt, job.job_id)):
        work = (job.name, job.started_at, job.completed_at)
        if job.status == "completed" and work in seen:
            continue
        seen.add(work)
        yield replace(job, attempt=job.attempt or 1)


def _is_news(row: SyncedRun) -> bool:
    """Whether nobody expects that this workflow leaves no report: it is the first, or the one before did."""
    if "expired" in row.taken.values() or "refused" in row.taken.values():
        return False  # that was said already
    before = SyncedRun.objects.filter(
        project=row.project, path=row.path, github_run_id__lt=row.github_run_id, is_whole=True
    )
    latest = before.order_by("-github_run_id").first()
    others = SyncedRun.objects.filter(project=row.project, path=row.path, is_whole=True).exclude(pk=row.pk)
    return latest.has_reports if latest else not others.exists()


def _row_of(project: Project, past: PastRun) -> SyncedRun:
    row, _ = SyncedRun.objects.get_or_create(
        project=project,
        github_run_id=past.number,
        defaults={"created_at": past.remote.created_at, "path": past.path},
    )
    return row
