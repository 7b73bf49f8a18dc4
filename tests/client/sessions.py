"""Real pytest sessions in processes of their own, with and without the plugin."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

# Another interpreter, with pytest, pytest-xdist and pytest-rerunfailures of its own, can be named.
PYTHON = os.environ.get("CLIENT_PYTHON", sys.executable)
ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "client" / "src"
PLUGIN = ["-p", "runtrail.plugin"]
XDIST = ["-p", "xdist", "-n", "2"]
TOKEN = "rt_0123456789abcdef"
RERUNS = ["-p", "pytest_rerunfailures"]


def environment(folder: Path, **variables: str) -> dict[str, str]:
    """The variables of a desk: no CI, no test around, nothing loaded that is not named."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(SOURCE),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "RUNTRAIL_SPOOL": str(folder / "spool"),
        **variables,
    }


class Project:
    """A folder with tests in it."""

    def __init__(self, folder: Path) -> None:
        self.base, self.folder = folder, folder / "project"
        self.folder.mkdir()
        self.write("pytest.ini", "[pytest]\n")
        self.spool = folder / "spool"

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
        return path

    def command(self, *arguments: str) -> list[str]:
        return [PYTHON, "-m", "pytest", "-p", "no:cacheprovider", *arguments]

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=environment(self.base, **variables),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def begin(self, *arguments: str, **variables: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self.command(*PLUGIN, "--runtrail", *arguments),
            cwd=self.folder,
            env=environment(self.base, **variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def record(self, *arguments: str, **variables: str) -> list[dict[str, Any]]:
        """Run a session with the plugin; return the lines of its report."""
        report = self.base / "report.jsonl"
        report.unlink(missing_ok=True)
        done = self.run(*PLUGIN, f"--runtrail-report={report}", *arguments, **variables)
        assert report.exists(), done.stdout + done.stderr
        return [json.loads(line) for line in report.read_text().splitlines()]

    def kept(self, where: str = "waiting") -> list[Path]:
        return sorted((self.spool / where).rglob("*.jsonl"))


def tries(lines: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The tries of each test, by the last part of its name."""
    found: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        if line["type"] == "test":
            found.setdefault(line["nodeid"].rpartition("::")[2], []).append(line)
    return found


def outcomes(lines: list[dict[str, Any]]) -> dict[str, str]:
    return {name: found[-1]["outcome"] for name, found in tries(lines).items()}


def where(receiver: Any, **more: str) -> dict[str, str]:
    return {"RUNTRAIL_URL": receiver.url, "RUNTRAIL_TOKEN": TOKEN, **more}


def record_and_send(
    project: Project, *arguments: str, **variables: str
) -> tuple[subprocess.CompletedProcess[str], str]:
    """Run a session that sends its report; return it, and what it said of that."""
    done = project.run(*PLUGIN, "--runtrail", *arguments, **variables)
    return done, next((line for line in done.stdout.splitlines() if line.startswith("runtrail: ")), "")
