"""Put runs side by side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError, CommandParser

from analysis.wording import in_words
from tracking.compared_times import PARTS
from tracking.comparison import Comparisons, Part, Place, RunComparison, compare_many
from tracking.management.base import RuntrailCommand

NAMES = {"setup": "set-up", "lost_parallelism": "lost parallelism"}
HEAD = (
    f"{'part':18}{'base':>10}{'head':>10}{'difference':>12}{'ratio':>8}{'could see':>11}"
    "  95 % interval, verdict"
)


class Command(RuntrailCommand):
    help = (
        "Compare runs with the first one: queueing, set-up, execution, total, retries and lost parallelism, "
        "with intervals, and what is to blame."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("base", metavar="BASE", help="test run id of the run to compare with")
        parser.add_argument("heads", metavar="HEAD", nargs="+", help="test run ids of one run or several")

    def handle(self, *args: Any, base: str, heads: list[str], **options: Any) -> None:
        try:
            found = compare_many(self.run_named(base), [self.run_named(head) for head in heads])
        except ValueError as problem:
            raise CommandError(str(problem)) from None
        if options["format"] == "json":
            first, *others = (as_data(one) for one in found.found)
            ranking = [place.numbers for place in found.ranking]
            return self.print_json({"base": base, **first, "ranking": ranking, "others": others})
        self.say(f"Base: {base}")
        if len(found.found) > 1:
            self.say("", found.sentence, "", *ranking_lines(found))
        for one in found.found:
            self.say(*lines_of(one))
        return None


def ranking_lines(found: Comparisons) -> Iterator[str]:
    """The runs from fastest to slowest."""
    width = max(len(place.run.test_run_id) for place in found.ranking)
    yield f"{'place':>5}  {'run':{width}}{'difference':>12}  95 % interval, verdict of the total time"
    for place in found.ranking:
        yield f"{place.place or '–':>5}  {place.run.test_run_id:{width}}{_told(place)}"


def _told(place: Place) -> str:
    if place.total is None:
        return f"{'–':>12}  the base"
    return f"{_signed(place.total.difference):>12}  {_interval(place.total)}"


def lines_of(one: RunComparison) -> Iterator[str]:
    """One run against the base, as a table."""
    yield from (f"Head: {one.head}", "", " ".join(filter(None, [one.sentence, one.could_see])))
    if one.share_of_queueing is not None:
        yield f"Of the slowdown, {100 * one.share_of_queueing:.0f} % is queueing."
    yield from ("", HEAD, *(line_of(one.parts[name]) for name in PARTS))
    if one.differences:
        yield from ("", "What else was different:")
        yield from (f"  {name}: {first or '–'} → {second or '–'}" for name, first, second in one.differences)
    yield ""


def line_of(part: Part) -> str:
    """One part as a line of the table; medians per workflow, of retries means."""
    ratio = f"{part.ratio:.2f}" if part.ratio is not None else "–"
    return (
        f"{NAMES.get(part.name, part.name):18}{in_words(part.base):>10}{in_words(part.head):>10}"
        f"{_signed(part.difference):>12}{ratio:>8}{in_words(part.smallest):>11}  {_interval(part)}"
    )


def as_data(one: RunComparison) -> dict[str, Any]:
    """One run against the base for programs; seconds."""
    return {
        "head": one.head.test_run_id,
        "answer": one.sentence,
        "share_of_queueing": one.share_of_queueing,
        "times": {name: part.numbers for name, part in one.parts.items()},
        "differences": [
            {"name": name, "base": first, "head": second} for name, first, second in one.differences
        ],
    }


def _signed(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    return in_words(seconds) if seconds <= 0 else f"+{in_words(seconds)}"


def _interval(part: Part) -> str:
    if part.low is None or part.high is None:
        return part.reason
    return f"{part.low:+.1f} to {part.high:+.1f} s, {part.verdict}"
