"""Random reports for one project, in random order, half of them repeated; run by several processes at once.

`python -m tests.executions.storm SEED COUNT PART PARTS` sends one process's part of them to the database that
DATABASE_URL names; `check` in the place of the numbers counts everything again.
"""

from __future__ import annotations

import io
import os
import random
import sys
from datetime import UTC, datetime, timedelta

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
OUTCOMES = ["", "", "", "<failure message='no'/>", "<error message='boom'/>", "<skipped/>"]
DROPPED = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)


def report(chance: random.Random) -> tuple[bytes, dict]:
    """Return a JUnit report of some of 30 tests and what is told beside it."""
    cases = []
    for number in chance.sample(range(30), chance.randint(1, 25)):
        body = chance.choice(OUTCOMES)
        cases.append(
            f'<testcase classname="m" name="t{number}" time="{chance.random():.4f}">{body}</testcase>'
        )
        if chance.random() < 0.1:
            cases.append(cases[-1].replace(body, chance.choice(OUTCOMES)) if body else cases[-1])
    at = NOW - timedelta(days=chance.randint(0, 75), seconds=chance.randint(0, 90000))
    text = f'<testsuite timestamp="{at:%Y-%m-%dT%H:%M:%S}">{"".join(cases)}</testsuite>'
    told = {
        "space": chance.choice(["local", "ci"]),
        "commit": chance.choice(["", "a" * 40, "b" * 40]),
        "test_run_id": chance.choice([None, None, f"ci-{chance.randint(1, 9)}-1"]),
    }
    return text.encode(), told


def incoming(seed: int, count: int) -> list[tuple[bytes, dict]]:
    """Return `count` reports and half of them again, in random order."""
    chance = random.Random(seed)
    reports = [report(chance) for _ in range(count)]
    found = reports + chance.sample(reports, count // 2)
    chance.shuffle(found)
    return found


def send(seed: int, count: int, part: int, parts: int) -> None:
    from access.models import Project
    from executions.ingest import ingest_report
    from executions.recount import archive_month

    project = Project.objects.get(slug="shop")
    mine = incoming(seed, count)[part::parts]
    for number, (content, told) in enumerate(mine):
        ingest_report(io.BytesIO(content), project=project, now=NOW, **told)
        if part == 0 and number in (len(mine) // 3, 2 * len(mine) // 3):
            archive_month(*DROPPED)


def check() -> int:
    from executions.models import Report
    from executions.recount import recount

    found = [str(difference) for difference in recount(repair=False)]
    print(Report.objects.stored().count(), *found, sep="\n")
    return bool(found)


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    if sys.argv[1:] == ["check"]:
        return check()
    send(*map(int, sys.argv[1:5]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
