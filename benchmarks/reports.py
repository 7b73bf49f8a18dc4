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
SIZES, ROUNDS = (10_000, 100_000), (7, 3)
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
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    generate = [sys.executable, str(FLOOR / "gen_reports.py"), str(folder), *map(str, SIZES)]
    subprocess.run(generate, check=True, stdout=subprocess.DEVNULL)
    send = sender()
    walls = []
    for size, rounds in zip(SIZES, ROUNDS, strict=True):
        content = (folder / f"junit_{size}.xml").read_bytes()
        send(content + b"<!-- first -->")  # its names are new; later ones are known
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        times = [timed(send, content + b"<!-- %d -->" % number) for number in range(rounds)]
        more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        walls.append(median(times))
        print(f"{size:>8,} cases: {walls[-1] * 1000:,.0f} ms, peak memory {more:+.0f} MB", flush=True)
    floor = floor_of(folder / f"junit_{SIZES[0]}.xml")
    growth = walls[1] / walls[0]
    print(f"{SIZES[1]:,} cases take {growth:.1f} times as long as {SIZES[0]:,} (at most {GROWTH:g})")
    over = walls[0] / floor
    print(f"{SIZES[0]:,} cases take {over:.1f} times the floor (at most {OVER_FLOOR:g})")
    return int(growth > GROWTH or over > OVER_FLOOR)


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
    command = [python, str(FLOOR / "floor_ingest.py"), str(path), str(ROUNDS[0])]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    print(told.strip())
    return float(told.split("wall median ")[1].split()[0]) / 1000


if __name__ == "__main__":
    sys.exit(main())
