"""Put two runs side by side."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from analysis.wording import in_words
from tracking.comparison import Part, compare_runs
from tracking.management.base import RuntrailCommand

NAMES = {
    "queue": "queue",
    "execution": "execution",
    "total": "total",
    "setup": "set-up",
    "retries": "retries",
    "lost_parallelism": "lost parallelism",
}
HEAD = f"{'part':18}{'base':>10}{'head':>10}{'difference':>12}{'ratio':>8}  95 % interval, verdict"


class Command(RuntrailCommand):
    help = "Compare two runs: queue, execution and total time, with intervals, and what is to blame."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("base", metavar="BASE", help="test run id of the first run")
        parser.add_argument("head", metavar="HEAD", help="test run id of the second run")

    def handle(self, *args: Any, base: str, head: str, **options: Any) -> None:
        found = compare_runs(self.run_named(base), self.run_named(head))
        if options["format"] == "json":
            return self.print_json(
                {
                    "base": base,
                    "head": head,
                    "answer": found.sentence,
                    "share_of_queueing": found.share_of_queueing,
                    "times": {name: as_data(part) for name, part in found.parts.items()},
                    "differences": [
                        {"name": name, "base": first, "head": second}
                        for name, first, second in found.differences
                    ],
                }
            )
        self.say(f"Base: {base}", f"Head: {head}", "", found.sentence)
        if found.share_of_queueing is not None:
            self.say(f"Of the slowdown, {100 * found.share_of_queueing:.0f} % is queueing.")
        self.say(
            "", f"{'part':18}{'base':>10}{'head':>10}{'difference':>12}{'ratio':>8}  95 % interval, verdict"
        )
        self.say(*(line_of(part) for part in found.parts.values()))
        if found.differences:
            self.say("", "What else was different:")
            for name, first, second in found.differences:
                self.say(f"  {name}: {first or '–'} → {second or '–'}")
        return None


def line_of(part: Part) -> str:
    """One part as a line of the table; per workflow, medians."""
    if part.base is None or part.head is None or part.difference is None:
        return f"{NAMES[part.name]:18}{'–':>10}{'–':>10}{'–':>12}{'–':>8}  {part.reason or 'not measured'}"
    ratio = f"{part.ratio:.2f}" if part.ratio is not None else "–"
    sign = "+" if part.difference >= 0 else "−"
    told = "of the whole run" if part.single else part.verdict
    if part.low is not None and part.high is not None:
        told = f"{part.low:+.1f} to {part.high:+.1f} s, {part.verdict}"
    if part.found is not None and part.found.smallest is not None and part.verdict == "not enough data":
        told += f" (could have seen {in_words(part.found.smallest)})"
    return (
        f"{NAMES[part.name]:18}{in_words(part.base):>10}{in_words(part.head):>10}"
        f"{sign + in_words(abs(part.difference)):>12}{ratio:>8}  {told}"
    )


def as_data(part: Part) -> dict[str, Any]:
    """One part for programs; seconds."""
    names = ("base", "head", "difference", "ratio", "low", "high", "verdict")
    smallest = part.found.smallest if part.found else None
    return {
        **{name: getattr(part, name) for name in names},
        "smallest": smallest,
        "reason": part.reason or None,
    }
