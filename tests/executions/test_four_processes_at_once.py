"""Four processes send at the same time, while a month is dropped: counted right to the last row."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection

from tests.executions.storm import incoming
from tests.factories import make_project

ROOT = Path(__file__).resolve().parents[2]
PROCESSES, SEED = 4, 7
REPORTS = int(os.environ.get("STORM_REPORTS", 120))  # 1,000 of them take minutes: benchmarks/README.md
WAIT = max(200, 2 * REPORTS)  # seconds


def started(*arguments, url):
    environment = {**os.environ, "DATABASE_URL": url, "RUNTRAIL_DB": ""}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.executions.storm", *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def database_url(transactional_db, tmp_path):
    """A database that other processes can reach, with one project."""
    make_project("shop")
    if connection.vendor == "sqlite":
        with sqlite3.connect(tmp_path / "copy.sqlite3") as copy:
            connection.connection.backup(copy)
        copy.close()
        return f"sqlite:///{tmp_path / 'copy.sqlite3'}"
    url = urlsplit(os.environ["DATABASE_URL"])
    return url._replace(path=f"/{connection.settings_dict['NAME']}").geturl()


def test_four_processes_at_once_count_right_while_a_month_is_dropped(database_url):
    senders = [started(SEED, REPORTS, part, PROCESSES, url=database_url) for part in range(PROCESSES)]
    ends = [(sender.communicate(timeout=WAIT), sender.returncode) for sender in senders]
    assert [code for _, code in ends] == [0] * PROCESSES, "\n".join(told[1][-2000:] for told, _ in ends)

    counted = started("check", url=database_url)
    out, trouble = counted.communicate(timeout=WAIT)

    assert counted.returncode == 0, out + trouble
    distinct = {
        (content, told["test_run_id"], None if told["test_run_id"] else told["commit"])
        for content, told in incoming(SEED, REPORTS)
    }
    assert int(out.split()[0]) == len(distinct)
