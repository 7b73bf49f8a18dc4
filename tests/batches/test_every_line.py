"""The command lines of the document on edit batches, in its order and as they stand in docs/commands.md."""

import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from tests.batches.test_seed_commands import desk, edit, installed, keep_two_modules  # noqa: F401 - fixtures
from tests.batches.watched import Watched

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(900)]
TABLE = (Path(__file__).resolve().parents[2] / "docs/commands.md").read_text()
LINES = list(dict.fromkeys(re.findall(r"^\| 003 \| `.+?` \| `(.+?)`.*? \| works \|$", TABLE, re.MULTILINE)))
PLACES = {"<file_path>": "orchestrator.py", "<batch_id>": "1"}


def test_every_line_works_as_it_stands(desk, tmp_path):  # noqa: F811
    own = tmp_path / "venv/bin/python"
    own.parent.mkdir(parents=True)
    own.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    own.chmod(0o755)
    desk.environment["VIRTUAL_ENV"] = str(tmp_path / "venv")
    for name in ("circuit_breaker", "report_generator", "canonical_notation"):
        (
            desk.folder / f"test_{name}.py"
        ).unlink()  # each module is a process of its own in eight of the lines
    for name in ("file", "specific_module"):
        (desk.folder / f"{name}.py").write_text("def f(): return 1\n")
    (desk.folder / "test_specific_module.py").write_text("def test_it():\n    pass\n")

    codes = {}
    for number, line in enumerate(sorted(LINES, key=_order)):
        places = {**PLACES, "<batch_id>": "2"} if "rollback" in line else PLACES
        words = [places.get(word, word) for word in shlex.split(line)]
        if words[1] == "record":
            edit(desk, words[2].removesuffix(".py"))
            path = desk.folder / words[2]
            path.write_text(f"{path.read_text()}# {number}\n")
        logs = desk.folder / "test_batch_logs"
        if "custom_baseline.json" in words and (logs / "baseline_results.json").exists():
            shutil.copy(logs / "baseline_results.json", desk.folder / "custom_baseline.json")
        codes[line] = _watch(desk) if words[1] == "watch" else _code(desk, words)

    assert {line: code for line, code in codes.items() if code != 0} == {}
    assert len(codes) > 20


def _order(line):
    """What makes something comes before what uses it; the later batch goes back first; reset comes last."""
    ranks = ("record", "status", "--set-baseline", "baseline", "test", "--compare", "compare", "backup")
    rank = next((number for number, word in enumerate(ranks) if word in line.split()), len(ranks))
    return (line == "batch reset", "rollback" in line, line == "batch rollback 1", rank)


def _watch(desk):  # noqa: F811
    """Start it, save a file, end it; return its exit code."""
    watched = Watched(desk, desk.folder)
    watched.edit("watched.py", "def f(): return 1\n")
    watched.until_recorded("watched.py")
    return watched.stop()


def _code(desk, words):  # noqa: F811
    try:
        desk.run(*words)
    except AssertionError as problem:
        return f"{problem}"[-600:]
    return 0
