"""Server time and queries of the pages at 100 and at 10,000 runs of 34 workflows, side by side.

`script/bench pages` uses a throw-away SQLite database; with DATABASE_URL, that database, which has to be
empty: what it holds would be removed between the two sizes.  On SQLite the time is CPU time of this process;
on PostgreSQL, where another process works too, it is the time that passes.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time

SIZES = (100, 10_000)
ROUNDS = 20
GOAL = 0.050  # seconds of server time at the larger size


def main() -> int:
    folder = tempfile.mkdtemp(prefix="runtrail-bench-")
    os.environ["RUNTRAIL_DATA"] = folder
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django
    from django.conf import settings

    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    settings.ALLOWED_HOSTS = ["testserver"]
    django.setup()
    from django.test.utils import setup_test_environment

    setup_test_environment()
    try:
        return compare()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def compare() -> int:
    from django.core.management import call_command
    from django.db import connection
    from django.utils import timezone

    from benchmarks.stock import fill
    from tracking.models import TestRun

    call_command("migrate", verbosity=0)
    if TestRun.objects.exists():
        print("DATABASE_URL names a database that holds runs; the benchmark needs an empty one.")
        return 1
    found = []
    for size in SIZES:
        TestRun.objects.all().delete()
        begun = time.monotonic()
        fill(size, timezone.now())
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        print(f"{size:,} runs made in {time.monotonic() - begun:.0f} s on {connection.vendor}", flush=True)
        found.append(measure())
    print(f"\n{'page':<14} {'queries':>16} {'median ms':>18} {'ratio':>7} {'p95 ms':>10}")
    too_slow = False
    for page in found[0]:
        (few, fast, _), (many, slow, worst) = found[0][page], found[1][page]
        too_slow |= slow > GOAL or few != many
        shown = f"{fast * 1000:.1f} → {slow * 1000:.1f}"
        queries = f"{few} → {many}"
        print(f"{page:<14} {queries:>16} {shown:>18} {slow / fast:>7.2f} {worst * 1000:>10.1f}")
    print(
        f"Goal: the same number of queries, under {GOAL * 1000:.0f} ms. "
        + ("Missed." if too_slow else "Met.")
    )
    return int(too_slow)


def measure() -> dict[str, tuple[int, float, float]]:
    """Per page: queries, median and p95 seconds of CPU in this process over warm requests."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from access.models import Membership, Project, User
    from analysis.quantiles import quantile
    from tracking.models import TestRun

    user, _ = User.objects.get_or_create(username="reader")
    Membership.objects.get_or_create(user=user, project=Project.objects.get(slug="demo"))
    client = Client()
    client.force_login(user)
    ended = TestRun.objects.ended().newest_first().first()
    going = TestRun.objects.running().first()
    pages = {
        "first page": "/",
        "run list": "/runs/",
        "run, ended": f"/runs/{ended}/",
        "run, going": f"/runs/{going}/",
    }
    found = {}
    clock = time.process_time if connection.vendor == "sqlite" else time.perf_counter
    for name, path in pages.items():
        assert client.get(path).status_code == 200, path
        with CaptureQueriesContext(connection) as captured:
            client.get(path)
        queries = len(captured)  # counted now: the next request clears the log
        assert queries, f"{path} was answered without a single query"
        times = []
        for _ in range(ROUNDS):
            begun = clock()
            client.get(path)
            times.append(clock() - begun)
        found[name] = (queries, quantile(times, 0.5), quantile(times, 0.95))
    return found


if __name__ == "__main__":
    sys.exit(main())
