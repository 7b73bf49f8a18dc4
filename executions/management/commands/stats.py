"""What is counted of the tests: show it, list the flaky ones, count it again."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser

from access.models import Project
from analysis.wording import count, in_words
from executions.exclusion import settle_exclusions
from executions.execution_report import Line, lines
from executions.flakiness import rank_flaky
from executions.recount import recount
from tracking.management.base import RuntrailCommand
from tracking.models import Space

MOST = 50


class Command(RuntrailCommand):
    help = "Statistics of tests: show, flaky, rebuild."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--db", default="", metavar="URL", help="URL of a database, or a SQLite file")
        what = parser.add_subparsers(dest="what", required=True, metavar="show|flaky|rebuild")
        show = what.add_parser("show", help="counts and rates per test")
        show.add_argument("--type", choices=["test"], default="test")
        show.add_argument("--space", choices=Space.values, default="", help="without: both together and each")
        flaky = what.add_parser("flaky", help="tests that both pass and fail")
        flaky.add_argument("--threshold", type=float, default=10.0, help="failure rate in percent (10)")
        flaky.add_argument("--window", type=int, default=50, help="runs of each test that are looked at (50)")
        flaky.add_argument("--space", choices=Space.values, default="")
        what.add_parser("rebuild", help="count all results again and say what differed")
        for one in what.choices.values():
            one.add_argument("-p", "--project", dest="its_project", default=None, help="slug of the project")
            one.add_argument("--format", dest="its_format", choices=["text", "json"], default=None)
            one.add_argument("--db", dest="its_db", default="", help="URL of a database, or a SQLite file")

    def handle(self, *args: Any, **options: Any) -> None:
        project = self.project(options["its_project"] or options["project"])
        is_json = (options["its_format"] or options["format"]) == "json"
        if options["what"] == "show":
            self.show(project, options["space"], is_json)
        elif options["what"] == "flaky":
            if not (0 <= options["threshold"] <= 100 and 2 <= options["window"] <= 1000):
                raise CommandError("--threshold is a percentage from 0 to 100, --window 2 to 1000 runs.")
            self.flaky(project, options, is_json)
        else:
            self.rebuild(project, is_json)

    def show(self, project: Project, space: str, is_json: bool) -> None:
        listed = list(lines(project, space=space))
        if is_json:
            return self.print_json([asdict(line) for line in listed])
        if not listed:
            return self.say(f"No test results in {project} yet. `run_local_tests` records some.")
        for name in [space] if space else ["", *Space.values]:
            self.say(*_block(name or "all", [line for line in listed if name in ("", line.space)]))
        return None

    def flaky(self, project: Project, options: dict[str, Any], is_json: bool) -> None:
        found = rank_flaky(
            project, space=options["space"], threshold=options["threshold"], window=options["window"]
        )
        if is_json:
            return self.print_json(
                [
                    {
                        **{name: getattr(one, name) for name in ("nodeid", "suite", "space", "kind", "runs")},
                        **{name: getattr(one, name) for name in ("failure_rate", "rate_low", "rate_high")},
                        "flip_rate": one.flip_rate,
                        "evidence": one.evidence,
                    }
                    for one in found
                ]
            )
        rule = f"failure rate of {options['threshold']:g} % or more in the last {options['window']} runs"
        if not found:
            return self.say(f"No test both passes and fails with a {rule}.")
        self.say(f"{count(len(found), 'test')} with a {rule}:")
        for one in found[:MOST]:
            rate = f"{100 * one.failure_rate:.0f} % ({100 * one.rate_low:.0f} to {100 * one.rate_high:.0f} %)"
            self.say(
                f"  {one.kind:8} {one.space:5} {rate:22} {one.nodeid}",
                f"           {'; '.join(one.evidence)}",
            )
        return None

    def rebuild(self, project: Project, is_json: bool) -> None:
        for _ in settle_exclusions():
            pass
        found = [str(one) for one in recount(project)]
        if is_json:
            return self.print_json({"differences": found})
        if not found:
            return self.say("Counted again: the statistics were right to the last row.")
        return self.say(f"Counted again: {len(found)} numbers were wrong and are right now.", *found[:MOST])


def _block(name: str, listed: list[Line]) -> list[str]:
    bad = sum(line.failed + line.error for line in listed)
    runs = sum(line.runs for line in listed)
    head = (
        f"{name}: {len({(line.nodeid, line.suite) for line in listed})} tests, {runs} results, {bad} failed"
    )
    rows = [head]
    for line in listed[:MOST]:
        rate = "–" if line.failure_rate is None else f"{100 * line.failure_rate:.1f} %"
        mean = "–" if line.mean is None else in_words(line.mean)
        rows.append(f"  {line.runs:6} runs {rate:>8} failed {mean:>9}  {line.nodeid}")
    if len(listed) > MOST:
        rows.append(f"  … and {len(listed) - MOST} more; --format json has all of them.")
    return [*rows, ""]
