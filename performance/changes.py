"""Each workload's series watched: where the level changed, and which changes are worth an alarm.

A series is one figure of one request over the runs of one component, branch and version of the load.  One
voter marks a change, and only a second one, or runs made to confirm it, make an alarm of it.  What a
curator has decided stays decided: a change found again is recognized by its place in the series.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from access import audit
from access.models import User
from analysis.changepoints import FALSE_ALARMS, NEAR, Change, find_changes
from analysis.confirmation import confirms
from performance.models import ChangePoint, Component, Workload, WorkloadRun
from performance.noise import history
from performance.readings import HEADLINES, Reading, Yardstick, read_runs

WATCHED = (*HEADLINES, "component:*")
LEAST_CHANGE_OF_SHARES = 0.005  # half a percentage point
FEWEST_RUNS = 10
State = ChangePoint.State


@dataclass(frozen=True, slots=True)
class Watched:
    """What became of the changes: `alarms` are new ones, `doubts` want one run more to decide about them."""

    changes: list[ChangePoint]
    alarms: list[ChangePoint]
    doubts: list[ChangePoint]


def watch_workload(
    workload: Workload, *, now: datetime, component: Component | None = None, branch: str = ""
) -> Watched:
    """Look through the series of `workload` on a branch, keep what changed, and say what is new.

    Safe to repeat: the same runs give the same changes, and nothing is told twice.
    """
    past = history(workload, component=component, branch=branch)
    if len(past) < FEWEST_RUNS:
        return Watched([], [], [])
    readings = _different(read_runs([run.pk for run in past], WATCHED, by_request=True))
    # All series of a workload together may err as often as one alone would.
    share = FALSE_ALARMS / max(len(readings), 1)
    kept, alarms, doubts = [], [], []
    with transaction.atomic():
        Workload.objects.select_for_update().get(pk=workload.pk)
        rows = _rows(workload, component, past)
        for reading in readings.values():
            runs = [run for run in past if run.pk in reading.values]
            known = rows.get((reading.yardstick.metric, reading.yardstick.request), [])
            found = [_Found(change, reading, runs) for change in _changes(reading, runs, share)]
            for one, row in _recognized(found, known):
                row, is_new_alarm = _keep(workload, component, one, row, now)
                kept.append(row)
                alarms += [row] if is_new_alarm else []
                if row.is_doubtful and not row.first_run.tool and one.is_confirmed(row) is None:
                    doubts.append(row)
            _forget([row for row in known if row not in kept])
    return Watched(kept, alarms, doubts)


def accept(
    change: ChangePoint, *, by: User | str, now: datetime, note: str = "", commit_sha: str = ""
) -> None:
    """It is real; with `commit_sha` it is tied to that commit."""
    if commit_sha:
        change.commit_sha = commit_sha[:40]
    _decide(change, State.ACCEPTED, by=by, now=now, note=note)


def dismiss(change: ChangePoint, *, by: User | str, now: datetime, note: str) -> None:
    """It is none, or none that matters.

    Raises:
        ValueError: no reason was given.
    """
    if not note.strip():
        raise ValueError("Say why it is dismissed, as in: the machine was moved.")
    _decide(change, State.DISMISSED, by=by, now=now, note=note)


def reopen(change: ChangePoint, *, by: User | str, now: datetime) -> None:
    """Take a decision back."""
    _decide(change, State.NEW, by=by, now=now, note=change.note)


@dataclass(frozen=True, slots=True)
class _Found:
    change: Change
    reading: Reading
    runs: list[WorkloadRun]

    @property
    def first(self) -> WorkloadRun:
        return self.runs[self.change.index]

    @property
    def is_worse(self) -> bool:
        return (self.change.difference > 0) == self.reading.less_is_better

    def is_near(self, row: ChangePoint) -> bool:
        """Whether `row` is this change, found by fewer or more runs."""
        places = {run.pk: place for place, run in enumerate(self.runs)}
        place = places.get(row.first_run_id)
        if place is None or row.is_worse != self.is_worse:
            return False
        return self.change.earliest - NEAR <= place <= self.change.latest + NEAR

    def is_confirmed(self, row: ChangePoint) -> bool | None:
        """What the runs made to confirm it say; None while one more has to be made."""
        return confirms(self.change, self.reading.of(run.pk for run in self.made_for(row)))

    def made_for(self, row: ChangePoint) -> list[WorkloadRun]:
        return [run for run in self.runs if _was_made_for(row, run)]


def _different(readings: dict[Yardstick, Reading]) -> dict[Yardstick, Reading]:
    """Without the figures of the only request there is: they are those of all, and would be told twice."""
    return {
        yardstick: reading
        for yardstick, reading in readings.items()
        if not yardstick.request
        or (whole := readings.get(Yardstick(yardstick.metric))) is None
        or whole.values != reading.values
    }


def _changes(reading: Reading, runs: Sequence[WorkloadRun], share: float) -> list[Change]:
    values = reading.of(run.pk for run in runs)
    floor = 0.0 if reading.is_ratio else LEAST_CHANGE_OF_SHARES
    return find_changes(values, false_alarms=share, floor=floor) if len(values) >= FEWEST_RUNS else []


def _rows(
    workload: Workload, component: Component | None, runs: Sequence[WorkloadRun]
) -> dict[tuple[str, str], list[ChangePoint]]:
    """What is known already of these runs, by metric and request."""
    found: dict[tuple[str, str], list[ChangePoint]] = {}
    rows = workload.change_points.filter(component=component, first_run__in=[run.pk for run in runs])
    for row in rows.order_by("pk"):
        found.setdefault((row.metric, row.request), []).append(row)
    return found


def _recognized(
    found: Sequence[_Found], known: Sequence[ChangePoint]
) -> list[tuple[_Found, ChangePoint | None]]:
    """Pair each change with the row that it is already, at the very place or near it; no row twice."""
    pairs: dict[int, ChangePoint] = {}
    free = list(known)
    for fits in (lambda one, row: one.first.pk == row.first_run_id, lambda one, row: one.is_near(row)):
        for number, one in enumerate(found):
            row = next((row for row in free if fits(one, row)), None)
            if number not in pairs and row is not None:
                pairs[number] = row
                free.remove(row)
    return [(one, pairs.get(number)) for number, one in enumerate(found)]


def _keep(
    workload: Workload, component: Component | None, found: _Found, row: ChangePoint | None, now: datetime
) -> tuple[ChangePoint, bool]:
    if row is not None and row.state != State.NEW:
        return row, False
    if row is None:
        yardstick = found.reading.yardstick
        row = ChangePoint(
            workload=workload,
            component=component,
            metric=yardstick.metric,
            request=yardstick.request,
            found_at=now,
        )
    was_alarm = row.is_alarm
    change = found.change
    row.first_run, row.last_run_before = found.first, found.runs[change.index - 1]
    row.commit_sha = row.commit_sha or found.first.run.commit_sha
    row.before, row.after, row.unit = change.before, change.after, found.reading.unit
    row.is_worse, row.p, row.votes = found.is_worse, change.p, list(change.votes)
    if row.pk and found.is_confirmed(row):
        row.confirmed_by = found.made_for(row)[-1]
    row.is_alarm = was_alarm or change.is_alarm or row.confirmed_by is not None
    row.save()
    return row, row.is_alarm and not was_alarm


def _was_made_for(row: ChangePoint, run: WorkloadRun) -> bool:
    named = run.run.metadata.get("confirms")  # anybody may send metadata, of any shape
    return isinstance(named, list) and row.pk in named


def _forget(rows: list[ChangePoint]) -> None:
    """Drop what later runs have shown to be noise, but for what was told or decided."""
    gone = [row.pk for row in rows if row.state == State.NEW and not row.is_alarm]
    ChangePoint.objects.filter(pk__in=gone).delete()


def _decide(change: ChangePoint, state: str, *, by: User | str, now: datetime, note: str) -> None:
    with transaction.atomic():
        change.state, change.note = state, note.strip()[:2000]
        change.decided_by = "" if state == State.NEW else str(by)[:255]
        change.decided_at = None if state == State.NEW else now
        change.save(update_fields=["state", "note", "decided_by", "decided_at", "commit_sha"])
        audit.record(
            f"performance.change.{state}",
            actor=by,
            project=change.workload.project,
            target=change,
            note=change.note,
            commit=change.commit_sha,
        )


def describe(change: ChangePoint) -> str:
    """The change in one sentence."""
    where = f" of {change.request}" if change.request else ""
    by = f"{change.ratio:.2f} ×" if math.isfinite(change.ratio) else "from nothing"
    worse = "worse" if change.is_worse else "better"
    since = f" since {change.first_run}" + (f" at {change.commit_sha[:10]}" if change.commit_sha else "")
    return f"{change.metric}{where} is {worse}: {by}{since} (sure by {change.sureness})."


def as_json(change: ChangePoint) -> dict[str, Any]:
    """For programs."""
    names = ("metric", "request", "before", "after", "unit", "is_worse", "p", "votes", "is_alarm", "state")
    told = {name: getattr(change, name) for name in names}
    first, last = change.first_run, change.last_run_before
    return {
        "id": change.pk,
        **told,
        "answer": describe(change),
        "first_run": str(first),
        "last_run_before": str(last) if last else None,
        "commit_sha": change.commit_sha,
        "confirmed_by": str(change.confirmed_by) if change.confirmed_by else None,
    }
