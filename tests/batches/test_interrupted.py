"""Killed in the middle, two at once, no room left: nothing is lost, and the work can be repeated."""

import json
import resource
import subprocess
import sys

import pytest

from tests.command_line import CommandLine
from tests.journeys.product import ROOT

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(600)]
STEPS = ["record and close,stock,backup", "rollback,undo", "test and search"]
RECORDING = """
import sys
sys.path.insert(0, sys.argv[1])
from batches.test_batch_tracker import BatchTestTracker

class Many(BatchTestTracker):
    BATCH_SIZE = 100

tracker = Many(python=sys.executable)
for number in range(8):
    with open(f"{sys.argv[2]}{number}.py", "w") as file:
        file.write(f"{number}")
    tracker.record_edit(f"{sys.argv[2]}{number}.py")
"""


@pytest.fixture(scope="module")
def line(tmp_path_factory):
    line = CommandLine(tmp_path_factory.mktemp("installed"))
    line.environment |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    line.folder = tmp_path_factory.mktemp("work")
    (line.folder / "a.py").write_text("1\n")
    line.run("batch", "status")
    return line


@pytest.mark.parametrize("steps", STEPS)
def test_a_step_that_is_killed_loses_nothing_and_can_be_repeated(line, tmp_path, steps):
    program = [sys.executable, str(ROOT / "tests/batches/killed.py"), str(tmp_path), str(ROOT / "client/src")]

    done = subprocess.run(
        [*program, steps, "5", "1"],
        env={**line.environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)) == set(steps.split(","))


def test_two_terminals_record_at_once_and_no_edit_is_lost(line, tmp_path):
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", RECORDING, str(ROOT), name], cwd=tmp_path, env=line.environment
        )
        for name in ("x", "y")
    ]
    assert [program.wait(200) for program in programs] == [0, 0]

    told = json.loads((tmp_path / "test_batch_logs/batch_tracker.json").read_text())

    assert told["edit_count"] == 16
    assert {edit["file_path"] for edit in told["current_batch"]["edits"]} == {
        f"{name}{number}.py" for name in "xy" for number in range(8)
    }


def no_file_beyond(size):
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize("room", [3 << 20, 64 << 10])
def test_a_full_disk_is_a_clear_error_and_nothing_is_lost(line, room):
    (line.folder / "a.py").write_text("2" * (4 << 20))

    failed = line.run("batch", "record", "a.py", code=3, preexec_fn=no_file_beyond(room))

    assert "Traceback" not in failed.stderr
    assert any(text in failed.stderr for text in ("Make room on the disk", "disk I/O error")), failed.stderr
    assert len((line.folder / "a.py").read_text()) == 4 << 20
    told = json.loads(line.run("batch", "status", "--format", "json").stdout)
    assert told["edit_count"] in {0, 1}
    (line.folder / "a.py").write_text(f"{room}")
    assert "Recorded a.py" in line.run("batch", "record", "a.py", "--batch-size", "50").stdout
