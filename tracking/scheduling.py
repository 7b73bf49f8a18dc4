"""Start what is due by the clock: each tick once, however many schedulers look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import OperationalError, transaction

from tracking.models import Schedule, TestRun
from tracking.plan import NotRunnable
from tracking.tracker import start_run

LATE = timedelta(minutes=15)  # a tick that is older is told as missed and not made up for


@dataclass(frozen=True, slots=True)
class Started:
    """What became of a due schedule; `run` is None where its tick was missed or can't be run."""

    schedule: Schedule
    run: TestRun | None
    problem: str


def set_next(schedule: Schedule, *, now: datetime) -> None:
    """Begin to wait for the first tick after `now`, after it was made, changed or resumed."""
    schedule.next_at = schedule.tick_after(now)
    Schedule.objects.filter(pk=schedule.pk).update(next_at=schedule.next_at)


def start_due(*, now: datetime, commands_allowed: bool = False) -> list[Started]:
    """Start a run for every schedule whose tick has come; return what became of each that was claimed here.

    A tick is claimed and its run begun in one transaction: another scheduler finds the tick moved on, and
    a process that dies in between leaves it as it was.  Of several ticks that passed while nobody looked,
    none is made up for but the last, and that only while it is not older than `LATE`; the schedule
    tells since when nobody looked.
    """
    done = []
    for schedule in list(Schedule.objects.due(now).for_list()):
        try:
            with transaction.atomic():
                started = _start(schedule, now, commands_allowed)
        except OperationalError:
            raise
        except Exception as problem:  # of one schedule, which must not keep the others waiting
            started = _put_off(schedule, problem, now)
        if started is not None:
            done.append(started)
    return done


def run_now(schedule: Schedule, *, by: str, now: datetime, commands_allowed: bool = False) -> TestRun:
    """Start a run of `schedule` out of turn; its next tick stays.

    Raises:
        NotRunnable: nothing was stored; the message says why.
    """
    with transaction.atomic():
        run = start_run(
            schedule.definition,
            schedule.environment,
            triggered_by=by,
            now=now,
            branch=schedule.branch,
            metadata={"schedule": schedule.cron},
            commands_allowed=commands_allowed,
        )
        Schedule.objects.filter(pk=schedule.pk).update(last_run=run, problem="")
    return run


def _start(schedule: Schedule, now: datetime, commands_allowed: bool) -> Started | None:
    first = schedule.next_at
    if first is None:
        return None
    tick = _newest(schedule, now)
    claimed = Schedule.objects.filter(pk=schedule.pk, enabled=True, next_at=first)
    if not claimed.update(next_at=schedule.tick_after(now), last_at=tick or first):
        return None  # another scheduler was faster, or it was paused meanwhile
    mine = Schedule.objects.filter(pk=schedule.pk)
    told = "" if tick == first else f"Missed since {first:%Y-%m-%d %H:%M} UTC: no scheduler was running."
    if tick is None:
        mine.update(last_run=None, problem=told)
        return Started(schedule, None, told)
    try:
        run = run_now(schedule, by="schedule", now=now, commands_allowed=commands_allowed)
    except NotRunnable as problem:
        mine.update(last_run=None, problem=str(problem))
        return Started(schedule, None, str(problem))
    mine.update(problem=told)
    return Started(schedule, run, told)


def _put_off(schedule: Schedule, problem: Exception, now: datetime) -> Started | None:
    """Move a tick on that nothing can be made of; where no next one can be found, wait for a person."""
    told = f"It could not be started ({type(problem).__name__}: {problem})."[:1000]
    try:
        next_at = schedule.tick_after(now)
    except (OSError, ValueError, KeyError):  # a time zone or times that are known no more
        next_at = None
    claimed = Schedule.objects.filter(pk=schedule.pk, enabled=True, next_at=schedule.next_at)
    if not claimed.update(next_at=next_at, last_at=schedule.next_at, last_run=None, problem=told):
        return None
    return Started(schedule, None, told)


def _newest(schedule: Schedule, now: datetime) -> datetime | None:
    """The newest tick that has come; None where it is older than `LATE`."""
    newest, tick = None, schedule.tick_after(now - LATE)
    while tick is not None and tick <= now:
        newest, tick = tick, schedule.tick_after(tick)
    return newest
