"""The first line of a page: the answer in one sentence of plain words."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.wording import count
from dashboards.templatetags.durations import about, duration, number, share
from dashboards.timeline import Line
from tracking.history import Waiting
from tracking.models import TestRun
from tracking.timing import RunTimes


def overview(*, running: int, bad: int, recent: Waiting, usual: Waiting) -> str:
    """Say what goes on in a project, what ended badly since yesterday, and whether it queues."""
    going = (
        f"{count(running, 'run')} {'is' if running == 1 else 'are'} going"
        if running
        else "Nothing is running"
    )
    ended = f"{number(bad)} ended badly since yesterday" if bad else "nothing ended badly since yesterday"
    parts = [going, ended]
    if recent.share is not None:
        usually = f", usually {share(usual.share)}" if usual.share is not None else ""
        parts.append(f"queueing took {share(recent.share)} of the time{usually}")
    return "; ".join(parts) + "."


def run(
    run: TestRun, times: RunTimes, lines: Sequence[Line], progress: dict[str, int], left: float | None
) -> str:
    """Say how far a run is, or how it ended and where its time went."""
    done = f"{number(progress.get('done', 0))} of {number(progress.get('workflows', 0))} done"
    bad = f"{number(progress['bad'])} failed" if progress.get("bad") else ""
    if not progress.get("workflows"):
        return (
            "No workflow was recorded for this run yet." if run.is_running else "This run had no workflows."
        )
    if run.is_running:
        sentences = [", ".join(filter(None, [done, bad])) + ".", _waiting(lines)]
        if run.cancel_requested_at:
            sentences.append("It is being cancelled.")
        elif left is not None:
            sentences.append(f"About {about(left)} left.")
        return " ".join(filter(None, sentences))
    cancelled = f"{number(progress['cancelled'])} cancelled" if progress.get("cancelled") else ""
    first = ", ".join(
        filter(None, [done, bad or ("none failed" if run.status == "passed" else ""), cancelled])
    )
    if times.queue_share is not None:
        first += f"; {share(times.queue_share)} of the time was queueing"
    return f"{first}."


def _waiting(lines: Sequence[Line]) -> str:
    waits = [line.queue or 0.0 for line in lines if line.is_queueing]
    if not waits:
        return ""
    verb = "waits" if len(waits) == 1 else "wait"
    return f"{number(len(waits))} {verb} for a place, longest {duration(max(waits))}."
