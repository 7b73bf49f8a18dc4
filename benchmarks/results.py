"""A stock of results as a team has it after months: runs of 10,000 of 20,000 tests, by way of reports."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from xml.sax.saxutils import quoteattr

CASES, SHARE = 20_000, 2  # a run has each second test
AREAS = ["accounts", "billing", "catalog", "checkout", "search", "orders", "payments", "shipping", "stock"]


def name(number: int) -> tuple[str, str]:
    """Return class and name of the test of that number."""
    area = AREAS[number % len(AREAS)]
    return (
        f"tests.{area}.test_{area}_{number // 200:03d}.TestCase{number // 20 % 10}",
        f"test_step_{number:06d}",
    )


def chance_to_fail(number: int) -> float:
    """One of 100 is flaky, one of 200 is broken, the others fail once in 250 runs."""
    if number % 100 == 7:
        return 0.02 + 0.3 * (number % 1000) / 1000
    return 1.0 if number % 200 == 9 else 0.004


def report(chance: random.Random, numbers: range, at: datetime) -> bytes:
    """Return a JUnit report of these tests."""
    lines = [f'<testsuites><testsuite name="pytest" timestamp="{at:%Y-%m-%dT%H:%M:%S}+00:00">']
    for number in numbers:
        classname, called = name(number)
        head = (
            f'<testcase classname={quoteattr(classname)} name="{called}" time="{chance.expovariate(20):.3f}"'
        )
        failed = chance.random() < chance_to_fail(number)
        body = "><failure message='assert 500 == 200'>trace</failure></testcase>" if failed else "/>"
        lines.append(head + body)
    return "".join([*lines, "</testsuite></testsuites>"]).encode()


def fill(project, runs: int, now: datetime, *, cases: int = CASES, seed: int = 1) -> Iterator[int]:
    """Take in `runs` reports, the newest an hour old; of four runs two are of a desk; yield after each."""
    from executions.ingest import ingest_report

    chance = random.Random(seed)
    for number in range(runs):
        at = now - timedelta(hours=runs - number)
        ingest_report(
            io.BytesIO(report(chance, range(number % SHARE, cases, SHARE), at)),
            project=project,
            now=at + timedelta(minutes=10),
            name="junit.xml",
            space="ci" if number % 4 < 2 else "local",
            branch="main",
            commit=f"{number // 8:040x}",
            triggered_by="benchmark",
        )
        yield number + 1
