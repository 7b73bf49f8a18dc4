"""Pages about tests at 1,000,000 results of 20,000 tests, and 80,000 more names: queries and server time.

`script/bench case_pages`, with DATABASE_URL an empty PostgreSQL, else a SQLite file of its own.  Server time
is the processor's: of this process, and of the database's process where there is one (PostgreSQL on this
machine), so that whatever else the machine does is left out.  RUNS makes it smaller.
"""

from __future__ import annotations

import io
import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

RUNS = int(os.environ.get("RUNS", 100))
ROUNDS, GOAL = 15, 0.080
NAMES = range(100_000, 180_000)


def main() -> int:
    folder = tempfile.mkdtemp(prefix="runtrail-bench-")
    os.environ |= {"RUNTRAIL_DATA": folder, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    import django
    from django.conf import settings

    settings.ALLOWED_HOSTS = ["testserver"]
    settings.DATABASES["default"]["CONN_MAX_AGE"] = 600
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    django.setup()
    try:
        return measure()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure() -> int:
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client

    from access.models import Membership, User
    from analysis.quantiles import quantile

    call_command("migrate", verbosity=0)
    project = stock()
    client = Client()
    user = User.objects.create_user("reader")
    Membership.objects.create(user=user, project=project)
    client.force_login(user)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        if connection.vendor == "postgresql":
            cursor.execute("SET max_parallel_workers_per_gather = 0")  # they would not be counted
    too_slow = False
    print(f"{'page':<18}{'queries':>8}{'median ms':>12}{'p95 ms':>10}")
    for name, path in pages(project).items():
        queries, times = asked(client, path)
        middle = quantile(times, 0.5)
        too_slow |= middle > GOAL
        print(
            f"{name:<18}{queries:>8}{middle * 1000:>12.1f}{quantile(times, 0.95) * 1000:>10.1f}", flush=True
        )
    print(f"Goal: under {GOAL * 1000:.0f} ms. " + ("Missed." if too_slow else "Met."))
    return int(too_slow)


def stock():
    """Runs of 10,000 tests each, and one of names that hardly ran."""
    from django.utils import timezone

    from benchmarks.results import fill, report
    from executions.ingest import ingest_report
    from tests.factories import make_project

    project, now = make_project("bench"), timezone.now()
    names = report(random.Random(5), NAMES, now)
    ingest_report(io.BytesIO(names), project=project, now=now, space="ci", commit="f" * 40)
    for done in fill(project, RUNS, now):
        if done % 10 == 0:
            print(f"{done} runs", file=sys.stderr, flush=True)
    return project


def pages(project) -> dict[str, str]:
    from executions.models import TestCase
    from tracking.models import TestRun

    case = TestCase.objects.filter(project=project, nodeid__contains="step_000107").first()
    runs = TestRun.objects.filter(project=project, space="ci", result_set__passed__lt=20_000)
    head, base = list(runs.order_by("-started_at")[:5])[:: 4 if RUNS > 8 else 1][:2]
    both = f"base={base}&head={head}"
    return {
        "tests": "/tests/",
        "search, many": "/tests/?q=step_0001",
        "search, words": "/tests/?q=CHECKOUT+step_1234",
        "search, one": "/tests/?q=013377",
        "search, none": "/tests/?q=nosuchthing",
        "one test": f"/tests/{case.pk}/",
        "flaky": "/tests/flaky/",
        "flaky in CI": "/tests/flaky/?space=ci",
        "flaky from 10 %": "/tests/flaky/?threshold=10",
        "spaces": "/spaces/",
        "run with results": f"/runs/{head}/",
        "uploads": "/uploads/",
        "two runs": f"/runs/compare/?{both}",
        "API tests": "/api/v1/test-cases/?search=013377",
        "API history": f"/api/v1/test-cases/{case.pk}/history/",
        "API statistics": f"/api/v1/test-cases/{case.pk}/statistics/",
        "API flaky": "/api/v1/flaky-tests/",
        "API two runs": f"/api/v1/comparisons/?{both}",
        "API a run's 500": f"/api/v1/test-runs/{head.pk}/executions/",
        "API uploads": "/api/v1/reports/",
    }


def asked(client, path: str) -> tuple[int, list[float]]:
    """Queries of a page, and seconds of processor for each of some warm requests."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.content[:300])
    with CaptureQueriesContext(connection) as captured:
        client.get(path)
    queries, times = len(captured), []
    for _ in range(ROUNDS):
        begun = spent(connection)
        client.get(path)
        times.append(spent(connection) - begun)
    return queries, times


def spent(connection) -> float:
    """Seconds of processor so far, of this process and of the one that answers it."""
    mine = time.process_time()
    if connection.vendor != "postgresql":
        return mine
    connection.ensure_connection()
    there = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat").read_text()
    return mine + int(there.split()[0]) / 1e9


if __name__ == "__main__":
    sys.exit(main())
