"""Reports of 10,000 and of 100,000 cases through the API, beside a floor that does that without it.

`script/bench reports` starts a PostgreSQL of its own.  FLOOR names the folder with `floor_ingest.py` and
`gen_reports.py`, which stand beside the checkout by default; FLOOR_PYTHON a Python that has lxml, psycopg
and numpy, which the floor needs.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

FLOOR = Path(os.environ.get("FLOOR", Path(__file__).resolve().parents[2] / "shared" / "benchmarks"))
SIZES = (10_000, 100_000)
TURNS, LARGE_TURNS = 7, 3
OVER_FLOOR, GROWTH = 3.0, 11.0  # at most


def main() -> int:
    from tests.servers import start_postgres

    if not (FLOOR / "gen_reports.py").is_file():
        print(f"There is no {FLOOR / 'gen_reports.py'} to make reports with. Set FLOOR to its folder.")
        return 1
    folder = Path(tempfile.mkdtemp(prefix="runtrail-bench-"))
    os.environ |= {"RUNTRAIL_DATA": str(folder), "DJANGO_SETTINGS_MODULE": "tests.settings"}
    os.environ["DATABASE_URL"] = start_postgres()
    try:
        return measure(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(folder: Path) -> int:
    import django
    from django.conf import settings

    settings.ALLOWED_HOSTS = ["testserver"]
    settings.DATABASES["default"]["CONN_MAX_AGE"] = 600
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    generate = [sys.executable, str(FLOOR / "gen_reports.py"), str(folder), *map(str, SIZES)]
    subprocess.run(generate, check=True, stdout=subprocess.DEVNULL)
    send = sender()
    small, large = ((folder / f"junit_{size}.xml").read_bytes() for size in SIZES)
    ratios = beside_the_floor(send, small, folder / f"junit_{SIZES[0]}.xml")
    over = median(ratios)
    shown = f"median of {len(ratios)} turns, {min(ratios):.1f} to {max(ratios):.1f}"
    print(f"{SIZES[0]:,} cases take {over:.1f} times the floor (at most {OVER_FLOOR:g}; {shown})", flush=True)
    send(large + b"<!-- first -->")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    pairs = [
        [timed(send, content + b"<!-- turn %d -->" % turn) for content in (small, large)]
        for turn in range(LARGE_TURNS)
    ]
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    growth = median(long / short for short, long in pairs)
    print(
        f"{SIZES[1]:,} cases take {growth:.1f} times as long as {SIZES[0]:,} (at most {GROWTH:g});", end=" "
    )
    print(f"peak memory {more:+.0f} MB")
    return int(growth > GROWTH or over > OVER_FLOOR)


def beside_the_floor(send, content: bytes, path: Path) -> list[float]:
    """Ratios of a report through the API to the floor; they take turns, so that a busy machine hurts both."""
    for number in range(3):
        send(content + b"<!-- warm %d -->" % number)
    found = []
    for turn in range(TURNS):
        floor = floor_of(path)
        found.append(median(timed(send, content + b"<!-- %d %d -->" % (turn, n)) for n in range(3)) / floor)
    return found


def sender():
    """Return a function that sends a report through the API, as a program with a token does."""
    from django.test import Client

    from access.tokens import new_token
    from tests.factories import make_project

    _, secret = new_token(make_project("bench"), "bench", "report", by="benchmark")
    client = Client(headers={"Authorization": f"Bearer {secret}"})

    def send(content: bytes) -> None:
        answer = client.post("/api/v1/reports/", content, content_type="application/xml")
        assert answer.status_code == 201, answer.content[:500]

    return send


def timed(send, content: bytes) -> float:
    begun = time.perf_counter()
    send(content)
    return time.perf_counter() - begun


def floor_of(path: Path) -> float:
    """Seconds that the floor takes, by its own account."""
    python = os.environ.get("FLOOR_PYTHON", sys.executable)
    command = [python, str(FLOOR / "floor_ingest.py"), str(path), "3"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return float(told.split("wall median ")[1].split()[0]) / 1000


if __name__ == "__main__":
    sys.exit(main())
