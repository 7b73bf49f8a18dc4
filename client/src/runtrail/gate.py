"""May this run pass?  Asks the server for what fails now and did not, and is not known as flaky.

Three answers of the API are enough: `test-runs/` for what to compare with, `comparisons/` for the
difference, `flaky-tests/` for the tests that accuse nobody.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from runtrail.api import Refused, Server, TryAgain

PAGES = 200
PAUSE = 2.0  # seconds between two looks at a report that is still being stored


class Undecided(Exception):
    """There is nothing to decide by; the text says what is missing."""


@dataclass
class Verdict:
    head: str
    base: str
    to_blame: list[str] = field(default_factory=list)
    excused: list[str] = field(default_factory=list)

    @property
    def lines(self) -> list[str]:
        """The verdict for people, the reasons first."""
        return [
            *(f"newly failing: {nodeid}" for nodeid in self.to_blame),
            *(f"failing, but known as flaky: {nodeid}" for nodeid in self.excused),
            f"{self.head} against {self.base}: {len(self.to_blame)} newly failing"
            + (f", {len(self.excused)} more that are known as flaky" if self.excused else ""),
        ]


def decide(
    server: Server,
    head: str,
    *,
    base: str = "",
    branch: str = "main",
    within: float = 60.0,
    report: Any = None,
) -> Verdict:
    """Compare `head` with `base`, else with the latest run before it on `branch`.

    Raises Undecided where there is no such run or the report is not stored `within` seconds.
    """
    if report and report.get("testRunId") == head:
        _wait_for(server, report, time.monotonic() + within)
    try:
        run = server.get(f"test-runs/{head}/")
    except Refused as problem:
        raise Undecided(f"the server shows no run {head}: {problem}") from None
    verdict = Verdict(head, base or _base_of(server, run, branch))
    comparison = server.get("comparisons/", base=verdict.base, head=head)
    listed = [*comparison["newlyFailing"], *comparison.get("addedFailing", [])]
    failing = [case["nodeid"] for case in listed]
    if failing:
        known = _flaky(server, run.get("space", ""))
        verdict.excused = [nodeid for nodeid in failing if nodeid in known]
        verdict.to_blame = [nodeid for nodeid in failing if nodeid not in known]
    return verdict


def _wait_for(server: Server, report: dict[str, Any], until: float) -> None:
    """A large report is stored after it was taken; wait for that."""
    while report.get("status") == "queued":
        if time.monotonic() > until:
            raise Undecided(
                f"the report of {report['testRunId']} is not stored yet; try again with a longer --wait"
            )
        time.sleep(PAUSE)
        report = server.get(f"reports/{report['id']}/")
    if report.get("status") == "refused":
        raise Undecided(f"the server refused the report: {'; '.join(report.get('problems') or [])}")


def _base_of(server: Server, run: dict[str, Any], branch: str) -> str:
    """The latest run before `run` that may stand for `branch`, of the same definition and environment."""
    query: dict[str, Any] = {"branch": branch, "startedBefore": run.get("startedAt", "")}
    # Of the server's choice: the first page alone may be full of runs that were cancelled or broke.
    query["status"] = ["passed", "failed"]
    for name in ("definition", "environment", "space"):
        query[name] = run.get(name, "")
    answer = server.get("test-runs/", **query)
    for other in answer["results"]:
        if other["testRunId"] != run["testRunId"] and not other.get("excludedAt"):
            return str(other["testRunId"])
    raise Undecided(f"there is no earlier run on {branch} to compare with; name one with --base")


def _flaky(server: Server, space: str) -> set[str]:
    found: set[str] = set()
    url, query = "flaky-tests/", {"space": space}
    for _ in range(PAGES):
        answer = server.get(url, **query)
        found |= {case["nodeid"] for case in answer["results"]}
        if not answer.get("next"):
            return found
        url, query = answer["next"], {}
    raise TryAgain("the list of flaky tests does not end")
