"""What the results of a run mean for the run itself: its totals, its end, its status."""

from __future__ import annotations

from datetime import datetime, timedelta

from analysis.wording import count
from executions.counting import Tally
from executions.models import Report, ResultSet
from executions.staging import Staged, declared_seconds
from executions.told import Options
from tracking.lifecycle import Status, close_run
from tracking.models import TestRun
from tracking.tracker import note

NOTHING = "No test was reported."
PYTEST_TROUBLE = {2: "interrupted", 3: "an internal error", 4: "a usage error"}  # its exit codes


def grow(result_set: ResultSet, tally: Tally, *, attempts: int) -> None:
    """Add a report's counts to those of its run."""
    for word, number in tally.counts.items():
        setattr(result_set, word, getattr(result_set, word) + number)
    result_set.attempts += attempts
    result_set.duration += tally.duration_us / 1e6
    result_set.save()


def close_if_whole(
    run: TestRun, result_set: ResultSet, staged: Staged, told: Options, *, now: datetime
) -> None:
    """End the run if this was its last report; set an ended one right if the report changes its end.

    A run whose workflows Runtrail follows ends with them; its results can only make it fail.
    """
    if run.is_running and not run.plan.get("steps"):
        if told.is_partial or (told.shard and not _all_shards_came(run, result_set)):
            return
        trouble = _trouble(staged)
        finish(run, result_set, trouble=trouble, ended=_end(run, staged, now), now=now)
    elif not run.is_running or not _remember(run, result_set):
        _set_right(run, result_set, now)


def _remember(run: TestRun, result_set: ResultSet) -> bool:
    """Note for the end of a run how many of its tests failed; False where it has ended meanwhile."""
    if TestRun.objects.running().filter(pk=run.pk).update(bad_results=result_set.bad):
        return True
    run.refresh_from_db()
    return False


def finish(
    run: TestRun, result_set: ResultSet | None, *, trouble: str = "", ended: datetime, now: datetime
) -> bool:
    """Close a run by its results: passed, failed, or error where there are none; True if it was open."""
    if trouble:
        return close_run(run, Status.ERROR, reason=trouble, now=ended)
    status, reason = verdict(result_set)
    return close_run(run, status, reason=reason, now=ended)


def verdict(result_set: ResultSet | None) -> tuple[str, str]:
    """Return the status and the reason that results give their run."""
    if result_set is None or not result_set.total:
        return Status.ERROR, NOTHING
    if result_set.bad:
        return Status.FAILED, f"{result_set.bad} of {count(result_set.total, 'test')} failed."
    return Status.PASSED, ""


def _set_right(run: TestRun, result_set: ResultSet, now: datetime) -> None:
    """Late results may make a run fail that had passed, never the other way round."""
    status, reason = verdict(result_set)
    open_to = [Status.PASSED] if run.plan.get("steps") else [Status.PASSED, Status.FAILED]
    if run.status == Status.ERROR and run.reason == NOTHING:
        open_to.append(Status.ERROR)
    # What CI says of the job stands: a job may fail although all of its tests passed.
    if (status == Status.PASSED and run.plan.get("steps")) or (
        status != Status.FAILED and run.plan.get("follows")
    ):
        return
    changed = (
        TestRun.objects.filter(pk=run.pk, status__in=open_to)
        .exclude(status=status, reason=reason)
        .update(status=status, reason=reason)
    )
    if changed and run.status != status:
        note(run, "results", f"Now {status} by a report that came after its end. {reason}".strip(), now)
    if changed:
        run.status, run.reason = status, reason


def _all_shards_came(run: TestRun, result_set: ResultSet) -> bool:
    came = Report.objects.stored().filter(run=run, shard__isnull=False).values("shard").distinct().count()
    return came >= (result_set.shards or 1)


def _trouble(staged: Staged) -> str:
    """Why the session itself went wrong, if it did."""
    if any(facts.is_cut_off for facts in staged.facts):
        return "The session was killed; its results are those until then."
    for facts in staged.facts:
        if facts.exit_code in PYTEST_TROUBLE:
            return f"pytest ended with {facts.exit_code}: {PYTEST_TROUBLE[facts.exit_code]}."
    is_told = staged.cases["failed"] or staged.cases["error"]
    if any(facts.failures_outside_cases for facts in staged.facts) and not is_told:
        return "The report tells of failures outside of any test."
    return ""


def _end(run: TestRun, staged: Staged, now: datetime) -> datetime:
    """When it ended, by what the reports say that they took; never after `now`."""
    took = declared_seconds(staged.facts) or sum(facts.seconds for facts in staged.facts)
    # A run that began with its report, perhaps days before it came, did not go on until now.
    began_with_it = run.started_at in {facts.started_at for facts in staged.facts}
    if not (took or began_with_it) or run.started_at >= now:
        return max(now, run.started_at)
    return min(now, run.started_at + timedelta(seconds=min(took, 10 * 24 * 3600)))
