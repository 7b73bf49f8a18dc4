"""The command line as a user has it: processes and data of its own, no server and no broker."""

from __future__ import annotations

import atexit
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

from tests.journeys.product import ROOT, environment

SET_UP = "import django; django.setup()\n"

# Each job adds a line with its own clock to a file that all of them share.
STAMP = """
import os, sys, time
begun = time.time()
time.sleep(float(sys.argv[2]))
with open(sys.argv[1], "a") as file:
    file.write(f"{os.environ['JOB_NAME']} {os.environ['DISPATCH_ID']} {begun} {time.time()}\\n")
"""


@cache
def _template() -> Path:
    """A data folder after its first command: migrating takes longer than most tests."""
    folder = tempfile.TemporaryDirectory(prefix="runtrail-template-")
    atexit.register(folder.cleanup)
    made = CommandLine(Path(folder.name), is_new=True)
    made.run("analyze_run", "--list")
    return made.data


def have_database(data: Path) -> None:
    """Begin with the embedded database of a data folder made; a server's is migrated by its operator."""
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        shutil.copytree(_template(), data)


class CommandLine:
    """One installation that no server serves."""

    def __init__(self, folder: Path, *, is_new: bool = False) -> None:
        self.folder, self.data = folder, folder / "data"
        if not is_new:
            have_database(self.data)
        self.lines = folder / "lines"
        (folder / "stamp.py").write_text(STAMP)
        self.environment = {**environment(self.data), "DJANGO_SETTINGS_MODULE": "config.settings"}
        self.environment.pop("REDIS_URL", None)
        if "DATABASE_URL" in self.environment:  # a database server is its operator's to migrate
            self.run("migrate")
            self.python("from config.first_start import make_project; make_project('default', 'Default')")

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, str(ROOT / "manage.py"), *arguments]

    def run(self, *arguments: str, code: int = 0, **options) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            self.command(*arguments),
            env={**self.environment, **options.pop("variables", {})},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            **options,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command and leave it going."""
        return subprocess.Popen(
            self.command(*arguments),
            env=self.environment,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def python(self, code: str, set_up: str = SET_UP) -> str:
        """Run code in the checkout, with Django set up; return what it printed."""
        done = subprocess.run(
            [sys.executable, "-c", set_up + code],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def add_profiles(self, **profiles: list[dict]) -> None:
        """Make profiles of local jobs, as a file loaded from a shell would; name=[step, …]."""
        self.python(
            "from access.models import Project\n"
            "from tracking.models import Step, TestDefinition\n"
            "project = Project.objects.get(slug='default')\n"
            f"for name, steps in {profiles!r}.items():\n"
            "    made = TestDefinition.objects.create(project=project, name=name, test_type=name,"
            f" is_from_shell=True, folder={str(self.folder)!r}, timeout=600)\n"
            "    for position, step in enumerate(steps, start=1):\n"
            "        Step.objects.create(definition=made, position=position, **step)\n"
        )

    def stamping(self, count: int, seconds: float = 0.1) -> dict:
        return {"command": ["python", "stamp.py", str(self.lines), str(seconds)], "count": count}

    def stamps(self, test_run_id: str) -> list[str]:
        """The dispatch ids of the run's jobs, one for each time that one ran."""
        lines = self.lines.read_text().splitlines() if self.lines.exists() else []
        return [line.split()[1] for line in lines if line.split()[0] == test_run_id]

    def tracking_file(self, test_run_id: str) -> dict:
        (path,) = self.data.glob(f"test_results/*/tracking/{test_run_id}.json")
        return json.loads(path.read_text())


def id_of(output: str) -> str:
    found = re.search(r"^Test Run ID: (\S+)$", output, re.MULTILINE)
    assert found, output
    return found[1]


def wait_until(is_reached, within: float = 60.0) -> None:
    end = time.monotonic() + within
    while not is_reached():
        assert time.monotonic() < end
        time.sleep(0.05)
